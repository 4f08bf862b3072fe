"""What claims may become, and what is owed."""
