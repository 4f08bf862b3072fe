"""How patients are written on pages."""
