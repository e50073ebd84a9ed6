"""The desk: pages for agent and supervisor, their sign-in, and what they say back to the bus."""
