"""The forms about tasks."""
