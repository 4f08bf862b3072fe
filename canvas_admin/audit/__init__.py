"""Who saw and changed what. Every door writes here; nothing here knows a domain."""
