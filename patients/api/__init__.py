"""What the API serves of patients."""
