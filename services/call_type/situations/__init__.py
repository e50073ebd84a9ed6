"""Moments of a call that need wording at once: recognised, and one card each."""
