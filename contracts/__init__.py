"""What crosses the bus, and nothing else: events, requests, subjects, streams."""
