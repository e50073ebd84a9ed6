"""Tables as people keep them: read, checked, written."""
