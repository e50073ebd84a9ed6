"""Authorised answers, transfer guidance, and nothing where nothing fits: the knowledge base."""
