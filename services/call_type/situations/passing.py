"""When a moment has passed, by what is said after it. Pure."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from services.call_type.situations.story import MERGED_MS, Lying, Said
from services.common.written import read

LATE_MS = 8_000
"""Words that come so long after others were heard need no card any more."""
ANSWER = 6
"""Characters from which somebody's words are more than 嗯, 好的."""
SAID = 0.4
"""Share of a wording's neighbouring characters from which it counts as said."""
OFF_TOPIC = 2
"""So many turns of the caller about something else end a moment."""


def after(lying: Lying, said: Said, situation: str | None) -> Lying | str:
    """The card that lies there after these words, in which `situation` was recognised; or why it
    leaves, in words for the agent."""
    if said.at_ms < lying.at_ms - MERGED_MS:
        return lying
    if said.role == lying.role and said.at_ms - lying.until_ms <= MERGED_MS:
        # The same breath that brought the card.
        return replace(lying, until_ms=max(lying.until_ms, said.end_ms))
    if not _says_much(said) or said.at_ms < lying.until_ms - MERGED_MS:
        return lying
    if said.role == "agent":
        like = _likeness(lying.body, said.text)
        return "建议的话已经说了" if like >= SAID else "坐席已经作答"
    if situation == lying.situation:
        return lying
    if lying.went_on + 1 < OFF_TOPIC:
        return replace(lying, went_on=lying.went_on + 1)
    return "来电人已经说到别的事"


def passed(said: Said, other: Said) -> bool:
    """Whether words that come late need no card any more, as other ones that are known show."""
    answered = said.role == "caller" and other.role == "agent" and other.at_ms >= said.end_ms
    return other.at_ms - said.end_ms > LATE_MS or (answered and _says_much(other))


def _says_much(said: Said) -> bool:
    return len(read(said.text).plain) >= ANSWER


def _likeness(wording: str, words: str) -> float:
    """Share of the wording's neighbouring characters that stand in the words."""
    pairs, said = ({f"{a}{b}" for a, b in pairwise(read(text).plain)} for text in (wording, words))
    return len(pairs & said) / max(1, len(pairs))
