"""What callers asked and the base did not hold: gathered by matter until an entry answers it."""
