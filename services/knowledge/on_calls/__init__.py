"""The base at work in a call: what is looked up, and the cards that follow."""
