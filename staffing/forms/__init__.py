"""The forms of the administration of people."""
