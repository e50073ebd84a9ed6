"""Waiting and silence: who waits for what, whether it was announced, and for how long."""
