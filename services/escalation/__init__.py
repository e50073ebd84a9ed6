"""Escalation: what a supervisor must see of a call, and its life until it is closed."""
