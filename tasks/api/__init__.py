"""What the API serves of tasks."""
