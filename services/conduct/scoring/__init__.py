"""The live score: what each finding costs, and what people say against it."""
