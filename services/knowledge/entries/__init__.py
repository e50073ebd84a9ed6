"""What the base consists of, as values: entries, regions, and who may do what to an entry."""
