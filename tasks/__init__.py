"""Work handed to a person or a team."""
