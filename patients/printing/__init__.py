"""Printed pages: the sheet, and what is laid out on it, one file for each document.

Nothing here asks the database: the views give what their pages show.
"""
