"""What is kept of an event, and what it tells of its call. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.base import UNSTAMPED, Event
from contracts.call import CallEnded, CallStarted
from contracts.call_type import CallTypeAssessed
from contracts.transcript import TranscriptFinal
from services.records.tables import utc_text

MATTER_MAX = 60
"""Characters of a matter at most: a caller's first breath rarely says enough of it to know the same
matter again, and a longer text says little more."""
MEANING_MIN = 4
"""Characters that must be left of an utterance for it to say what a call is about."""

_LEADING = re.compile(
    r"""^(?:
      [^\w]
    | 喂 | 嗯 | 啊 | 哎 | 唉 | 诶 | 欸 | 哦 | 呃 | 哈喽
    # words that also begin others (对方, 额度, 这个月): only where they stand alone
    | (?:额|对|是|是的|是这样的?|好|好的|行|那个|这个|就是|师傅|同志|老师|小姐|先生)(?=\W)
    | 你好 | 您好 | 麻烦(?:你|您)?(?:帮我)? | 请问 | 就是说
    | 我?就?想?(?:问(?!题)|咨询|了解|请教)(?:一下|下|问)? | 我?想知道 | (?:你们|您)这边
    # thanks and goodbyes: where nothing, or more of them, comes after
    | (?:好的|我?(?:知道|明白|清楚)了|谢谢[你您啊]*|再见|拜拜)
      (?=\W|$|好的|我?(?:知道|明白|清楚)了|谢谢|再见|拜拜)
    )+""",
    re.VERBOSE,
)

_TRAILING = re.compile(r"\W+$")


@dataclass(frozen=True, slots=True)
class Kept:
    """An event ready to be written."""

    event_id: str
    call_id: str
    site: str
    event: str
    at_ms: int
    wall_time: str
    payload: str
    """The event's own JSON."""
    tells: Mapping[str, str]
    """Columns of the call's row that it changes. `matter` goes on with what is there already."""


def keep(event: Event, received: datetime) -> Kept:
    """What is kept of an event that was received at a wall time (for events nobody stamped)."""
    wall_time = utc_text(received if event.wall_time == UNSTAMPED else event.wall_time)
    return Kept(
        event_id=event.event_id,
        call_id=event.call_id,
        site=event.site,
        event=event.event,
        at_ms=event.at_ms,
        wall_time=wall_time,
        payload=event.model_dump_json(),
        tells=_tells(event, wall_time),
    )


def _tells(event: Event, wall_time: str) -> dict[str, str]:
    match event:
        case CallStarted():
            return {
                "agent_id": event.agent_id,
                "caller_number": event.caller_number,
                "started_at": wall_time,
            }
        case CallEnded():
            return {"ended_at": wall_time}
        case CallTypeAssessed(type=str(type_)):
            return {"call_type": type_}
        case TranscriptFinal(role="caller"):
            matter = meaning(event.text)
            return {"matter": matter} if matter else {}
    return {}


def meaning(text: str) -> str:
    """What an utterance is about: without fillers before it, cut to `MATTER_MAX`; or nothing."""
    said = _TRAILING.sub("", _LEADING.sub("", text.strip())[:MATTER_MAX])
    return said if sum(char.isalnum() for char in said) >= MEANING_MIN else ""


def shortened(matter: str) -> str:
    """A matter as it is told: where it was cut, it says so."""
    if len(matter) < MATTER_MAX:
        return matter
    return _TRAILING.sub("", matter[: MATTER_MAX - 1]) + "…"
