"""Tasks in the administration."""

from tasks.admin import labels, rules

__all__ = ["labels", "rules"]
