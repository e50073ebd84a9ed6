"""The base at work in a call."""
