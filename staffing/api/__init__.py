"""What the API serves of the staff."""
