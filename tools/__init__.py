"""The `banxi` command: start, replay, evaluate, import, look after accounts."""
