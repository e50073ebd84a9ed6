"""Forbidden phrases: what was said, by its words, its sound and its meaning."""
