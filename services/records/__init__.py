"""Records: the call as kept. Every kept event, once; what is known of a number."""
