"""Tasks in the administration."""

from tasks.admin import labels

__all__ = ["labels"]
