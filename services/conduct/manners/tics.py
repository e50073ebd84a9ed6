"""Verbal tics: the same filler again and again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from contracts.base import Event, Evidence
from services.conduct.call import Call
from services.conduct.channel import Words
from services.conduct.notices import Notices

Step = tuple[Call, list[Event]]
RECENT = 60
"""How many utterances of the agent are looked at at most."""


def judge(call: Call, notices: Notices) -> Step:
    """Fillers that have become too many; each is told of once a call."""
    if not call.agent.words or not call.agent.words[-1].text:
        return call, []
    window: list[Words] = []
    size = 0
    for words in reversed(call.agent.words[-RECENT:]):
        window.append(words)
        size += words.manner.characters
        if size >= notices.limits.tic_window_characters:
            break
    counted: Counter[str] = Counter()
    for words in window:
        counted.update(dict(words.manner.tics))
    events: list[Event] = []
    for tic in notices.manner.file.tics:
        count = counted[tic.word]
        # Few words are no measure: a rate is reckoned over a hundred characters at least.
        if tic.word in call.tics or count < tic.least or count * 100 < tic.per_100 * max(size, 100):
            continue
        said = [words for words in window[::-1] if tic.word in dict(words.manner.tics)]
        start, end = said[0].start, max(words.end for words in said)
        call = replace(call, tics=call.tics | {tic.word})
        events.append(
            notices.warning(
                call,
                "verbal_tic",
                level="remind",
                at=start,
                end=end,
                due=end,
                causes=[words.event_id for words in said],
                evidence=Evidence(
                    words=tic.word, role="agent", start_ms=start, end_ms=end, score=count
                ),
                word=tic.word,
            )
        )
    return call, events
