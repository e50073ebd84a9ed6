"""Text → vector, for whoever asks: the one process that holds the sentence-transformers model."""
