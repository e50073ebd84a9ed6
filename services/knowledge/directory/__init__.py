"""Offices that callers ask for: their telephones, addresses and hours."""
