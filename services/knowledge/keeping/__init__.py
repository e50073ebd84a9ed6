"""The database of the base: entries, what they were before, and who did it."""
