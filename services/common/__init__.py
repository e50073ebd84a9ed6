"""The small kernel every service stands on: settings, bus, per-call consumption, requests, life."""
