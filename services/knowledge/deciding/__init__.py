"""From entries that may be meant to what may be told: answer, transfer or nothing."""
