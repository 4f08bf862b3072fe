"""The patients, everything that belongs to one, and who may see it."""
