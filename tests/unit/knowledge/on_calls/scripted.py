"""A base that finds what a script says, and a bus that keeps what is said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from contracts.base import Event, Producer
from contracts.call import CallEnded, CallStarted
from contracts.card import Source
from contracts.transcript import TranscriptFinal, TranscriptPartial
from services.common.calls import Happening
from services.knowledge.deciding.decide import Ruling
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.asking import Found, asks
from services.knowledge.on_calls.handler import KnowledgeHandler
from services.knowledge.on_calls.live import CallState, Voice
from tests.unit.knowledge.bags import DAY

WHO = {"call_id": "c1", "site": "main"}


def ruling(entry: Entry, confidence: float = 0.9) -> Ruling:
    told = entry.answerable
    return Ruling(
        "answer" if told else "transfer",
        entry.source(),
        entry.answer if told else None,
        confidence=confidence,
        score=0.6,
        matched=0,
    )


class ScriptedBase:
    """Finds an entry where a key of the script stands in what is looked up: in the words alone,
    else in what was said before with them, unless the key ends with a dot."""

    by_words_alone = False

    def __init__(self, script: Mapping[str, Entry], confidence: float = 0.9) -> None:
        self.entries = {entry.id: entry for entry in script.values()}
        self.confidence = confidence
        self.asked: list[str] = []
        self.may_go = asyncio.Event()
        self.may_go.set()
        self._keys = {key: entry.id for key, entry in script.items()}

    def put(self, entry: Entry) -> None:
        self.entries[entry.id] = entry

    def withdraw(self, entry_id: str) -> None:
        self.put(replace(self.entries[entry_id], authorised=False))

    async def find(
        self, text: str, before: Sequence[str], region: str | None, day: date
    ) -> Found | None:
        self.asked.append(text)
        found = self._found(text, before)
        await self.may_go.wait()  # what was found may be old by the time it is told
        return found

    def _found(self, text: str, before: Sequence[str]) -> Found | None:
        if not asks(text):
            return None
        for count in range(len(before) + 1):
            words = "，".join([*before[len(before) - count :], text])
            for key, entry_id in self._keys.items():
                if key.rstrip(".") in words and (count == 0 or not key.endswith(".")):
                    return Found(ruling(self.entries[entry_id], self.confidence), (), 1 + count)
        return None

    def entry(self, entry_id: str, day: date) -> Entry | None:
        return self.entries.get(entry_id)


class Said(Voice):
    """What was said by itself; it comes back to the call as it does by the bus."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def say(self, events: Sequence[Event]) -> None:
        self.events += events


class Talk:
    """One call, told to a handler."""

    def __init__(self, handler: KnowledgeHandler) -> None:
        self.handler = handler
        self.state: CallState = handler.open("c1", "main")
        self.events: list[Event] = []
        self._ms = 0

    async def begin(self, region: str | None = None) -> None:
        await self.tell(
            CallStarted.model_validate(
                WHO | {"at_ms": 0, "agent_id": "015", "caller_number": "1", "region": region}
            )
        )

    def partial(self, text: str, end_ms: int = 1_500) -> TranscriptPartial:
        """A partial of the utterance that comes next."""
        times = {"at_ms": self._ms + 500, "end_ms": self._ms + end_ms}
        return TranscriptPartial.model_validate(WHO | times | {"role": "caller", "text": text})

    def final(self, text: str) -> TranscriptFinal:
        start, self._ms = self._ms + 500, self._ms + 3_000
        said = {"role": "caller", "text": text, "heard": text}
        by = {"by": Producer(name="asr", version="1")}
        times = {"at_ms": start, "end_ms": self._ms}
        return TranscriptFinal.model_validate(WHO | times | said | by)

    async def say(self, text: str) -> list[Event]:
        """The caller says something; what follows from it comes back by the bus."""
        return await self.tell(self.final(text))

    async def end(self) -> list[Event]:
        ended = {"at_ms": self._ms, "ended_by": "caller"}
        return await self.tell(CallEnded.model_validate(WHO | ended))

    async def tell(self, happening: Happening) -> list[Event]:
        outcome = await self.handler.handle(self.state, happening)
        self.state = outcome.state
        events = list(await outcome.later) if outcome.later else []
        for event in events:
            self.events.append(event)
            await self.tell(event)
        return events


def today() -> date:
    return DAY


def as_recorded(source: Source, region: str | None) -> Source:
    """What a directory knows that is empty."""
    return source


async def until(holds: Callable[[], bool]) -> None:
    """Let others go on until something is so."""
    async with asyncio.timeout(5):
        while True:
            if holds():
                return
            await asyncio.sleep(0)
