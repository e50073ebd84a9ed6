"""Follows every call and looks up what its caller asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from contracts.base import Event
from contracts.call import CallEnded
from contracts.card import CardShown, CardWithdrawn
from contracts.feedback import FeedbackGiven
from contracts.gap import GapNoted
from contracts.transcript import TranscriptFinal
from services.common.calls import CallSettled, Happening, Outcome
from services.knowledge.directory.known import Completed
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.asking import Found, asks
from services.knowledge.on_calls import gaps
from services.knowledge.on_calls.call import NOT_THIS, Said, is_ours
from services.knowledge.on_calls.cards import (
    NOT_MEANT,
    OfCard,
    about,
    card_id,
    cards,
    gap,
    holds,
    outdated,
    supposed,
    withdrawal,
)
from services.knowledge.on_calls.contradicting import Against, against
from services.knowledge.on_calls.live import CallState, LiveCalls

AGAIN = 3
"""How often a question is looked up anew because the base changed meanwhile."""


class Base(Protocol):
    """What a call needs of the knowledge base."""

    @property
    def by_words_alone(self) -> bool:
        """Whether questions are looked up without vectors at the moment."""
        ...

    async def find(
        self, text: str, before: Sequence[str], region: str | None, day: date
    ) -> Found | None:
        """What may be told on what a caller says now, and said before."""
        ...

    def entry(self, entry_id: str, day: date) -> Entry | None:
        """An entry as it is on a day."""
        ...


async def find_what_holds(
    base: Base, text: str, before: Sequence[str], region: str | None, day: date
) -> Found | None:
    """As `base.find`, but nothing that the base did not say any more when it was found."""
    for _ in range(AGAIN):
        found = await base.find(text, before, region, day)
        if found is None or still_holds(base, found, day):
            return found
    return None


def still_holds(base: Base, found: Found, day: date) -> bool:
    """Whether the base says now what was found in it."""
    return holds(found.ruling, base.entry(found.ruling.source.entry_id, day), day)


class Editors(Protocol):
    """Who keeps what calls tell the editors of the base."""

    async def noted(self, event: GapNoted) -> None:
        """A gap was noted. May come twice."""
        ...

    async def feedback(self, event: FeedbackGiven) -> None:
        """An agent said what a card was worth. May come twice."""
        ...


class KnowledgeHandler:
    """Shows a card where a caller asks for something the base holds, withdraws it when he says that
    he means something else, and notes what the base does not hold.

    The look-up is slow work (`Outcome.later`): it depends on the base of that moment. What the call
    remembers of it is the card that was shown, which comes back as an event of the call, so that a
    call read again from its events looks nothing up.
    """

    def __init__(
        self,
        base: Base,
        today: Callable[[], date],
        completed: Completed,
        *,
        calls: LiveCalls | None = None,
        talk: Sequence[str] = (),
        editors: Editors | None = None,
    ) -> None:
        """`calls`: told of every call as it moves on. `talk`: lines that ask nothing."""
        self._base = base
        self._today = today
        self._completed = completed
        self._calls = calls or LiveCalls()
        self._talk = talk
        self._editors = editors

    def open(self, call_id: str, site: str) -> CallState:
        """A call of which nothing has happened yet."""
        return CallState(call_id, site)

    async def handle(self, state: CallState, happening: Happening) -> Outcome[CallState]:
        """Fold an event in; what a caller says is looked up."""
        if isinstance(happening, CallSettled):
            return Outcome(state)
        was_over = state.call.over
        state = replace(state, call=state.call.after(happening))
        self._calls.follow(state)
        match happening:
            case CardShown() | CardWithdrawn() if is_ours(happening):
                state.turn.came_back(happening)
            case TranscriptFinal() if happening.role == "caller" and not was_over:
                worded = happening.text.strip()
                later = self._look_up(state) if worded else self._unsay(state, happening)
                return Outcome(state, later=later, in_turn=True)
            case CallEnded() if not was_over:
                return Outcome(state, later=self._close(state), in_turn=True)
            case GapNoted() if self._editors:
                return Outcome(state, later=_told(self._editors.noted(happening)))
            case FeedbackGiven() if self._editors and happening.target_id.startswith("kb-"):
                return Outcome(state, later=_told(self._editors.feedback(happening)))
            case _:
                pass
        return Outcome(state)

    def let_go(self, call_id: str) -> None:
        """The call is over, or another replica's: what speaks beside the fold leaves it alone."""
        self._calls.forget(call_id)

    async def _look_up(self, state: CallState) -> Sequence[Event]:
        turn, call = state.turn, state.call
        now, day = call.said[-1], self._today()
        async with turn.order:
            objection = self._objection(state, now)
            while True:
                found = await self._find(state, now, objection, day)
                async with turn.lock:
                    if found is not None and not still_holds(self._base, found, day):
                        continue
                    said = self._cards(state, now, found, objection, day)
                    if said:
                        turn.last = said[-1]
                    events: list[Event] = [*said, *self._gaps(state, now, found)]
                    turn.handed_over(said)
                    return events

    async def _unsay(self, state: CallState, final: TranscriptFinal) -> Sequence[Event]:
        """An utterance of which nothing was understood in the end: what its partials brought is
        taken back."""
        now = Said("", final.at_ms, final.end_ms, final.event_id)
        async with state.turn.order, state.turn.lock:
            shown = state.shown
            if shown is None or not supposed(shown, now):
                return ()
            gone = withdrawal(shown, (), NOT_MEANT, max(now.end_ms, state.not_before))
            state.turn.last = gone
            state.turn.handed_over((gone,))
            return (gone,)

    def _objection(self, state: CallState, now: Said) -> Against | None:
        shown = state.shown
        if shown is None or supposed(shown, now):
            return None
        return against(now.text, state.call.before(now), about(shown))

    async def _find(
        self, state: CallState, now: Said, objection: Against | None, day: date
    ) -> Found | None:
        text, before = now.text, state.call.before(now)
        if objection is not None:
            text, before = objection.rest, objection.before
        if not text:
            return None
        return await find_what_holds(self._base, text, before, state.call.region, day)

    def _cards(
        self,
        state: CallState,
        now: Said,
        found: Found | None,
        objection: Against | None,
        day: date,
    ) -> Sequence[OfCard]:
        shown = state.shown
        again = found and shown and card_id(found.ruling.source.entry_id) == shown.card_id
        if found is not None and not (objection and again):
            return self._new_cards(state, now, found, shown, day)
        if shown is None:
            return ()
        if objection is not None:
            reason: str | None = NOT_THIS
        elif supposed(shown, now):
            reason = NOT_MEANT
        else:
            reason = self._why_outdated(shown, day)
        if reason is None:
            return ()
        return (withdrawal(shown, (now,), reason, max(now.end_ms, state.not_before)),)

    def _new_cards(
        self, state: CallState, now: Said, found: Found, shown: CardShown | None, day: date
    ) -> Sequence[OfCard]:
        said = state.call.asked_by(now, found.utterances)
        return cards(
            *(state.call_id, state.site, found, said, shown, day),
            source=self._completed(found.ruling.source, state.call.region),
            not_before=state.not_before,
            # What the agent called wrong comes again only if it says something else now.
            marked_anew=shown is None or shown.card_id not in state.call.refused,
        )

    def _why_outdated(self, shown: CardShown, day: date) -> str | None:
        if shown.source is None:
            return None
        return outdated(shown, self._base.entry(shown.source.entry_id, day), day)

    def _gaps(self, state: CallState, now: Said, found: Found | None) -> Sequence[GapNoted]:
        """What is known now to be a gap: a question before this utterance that nothing answers."""
        turn, asked = state.turn, state.turn.open_question
        if not asks(now.text):
            return ()
        new = found is None and self._asks_for_more(state, now)
        turn.open_question = now if new else None
        if asked is None:
            return ()
        if found is not None:
            told = f"{found.ruling.source.question}{found.ruling.answer or ''}"
            same = gaps.same_matter(asked.text, now.text) or gaps.asks_on(asked.text, told)
            return () if same or found.utterances > 1 else self._note(state, asked)
        if new and gaps.same_matter(asked.text, now.text):
            return ()
        return self._note(state, asked)

    def _asks_for_more(self, state: CallState, now: Said) -> bool:
        if self._base.by_words_alone or not gaps.asks_matter(now.text, self._talk):
            return False
        shown = state.shown
        return shown is None or not gaps.asks_on(now.text, f"{about(shown)}{shown.body}")

    def _note(self, state: CallState, asked: Said) -> Sequence[GapNoted]:
        """Once a matter and call."""
        known = (*state.call.gaps, *state.turn.noted)
        if any(gaps.same_matter(asked.text, other) for other in known):
            return ()
        state.turn.noted += (asked.text,)
        return (gap(state.call_id, state.site, state.call.region, asked),)

    async def _close(self, state: CallState) -> Sequence[Event]:
        async with state.turn.order:
            asked, state.turn.open_question = state.turn.open_question, None
            return self._note(state, asked) if asked else ()


async def _told(telling: Awaitable[None]) -> Sequence[Event]:
    await telling
    return ()
