"""Audio in: the door, the call's clock, voice activity; calls started and ended."""
