"""What kind of call this is, how it changes, and the handling advice that goes with it."""
