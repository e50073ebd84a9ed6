"""Announced wording (统一口径): what a supervisor publishes on a hot topic, and who has read it."""
