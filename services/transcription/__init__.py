"""Frames to words: partial and final utterances, by a recogniser behind one port."""
