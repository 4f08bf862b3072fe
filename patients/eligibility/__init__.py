"""Asking payers whether a coverage holds: the interface, the built-in payer, the act."""
