"""A caller asked for something the knowledge base does not hold."""

from __future__ import annotations

from typing import ClassVar

from contracts.base import Derived


class GapNoted(Derived):
    """Nothing that may be told was found for what a caller asked. `evidence` has the words, `at_ms`
    is the start of the utterance that asked. The knowledge service gathers these for its
    editors."""

    event: ClassVar[str] = "gap.noted"

    region: str | None = None
    """Region of the call; None = the site's."""
