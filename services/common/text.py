"""Characters that recognisers, and writers, do not tell apart."""

from __future__ import annotations

ALIKE = str.maketrans("您得地她它", "你的的他他")
"""For `str.translate`: each as the one it is compared as."""
