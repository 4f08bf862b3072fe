"""Protocols for the workflow kit to begin with: each file is uploaded as it stands."""
