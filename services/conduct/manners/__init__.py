"""Manner of speaking: pace, tics, acknowledging, asking to repeat."""
