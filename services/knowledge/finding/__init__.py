"""From a caller's words to the entries they may mean."""
