"""The events conduct says, made from what its rules found: wording, producer, ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from contracts.base import Evidence, Producer
from contracts.card import CardShown, CardWithdrawn
from contracts.phrase import PhraseDue, PhraseSaid
from contracts.warning import (
    Level,
    WarningConfirmed,
    WarningKind,
    WarningRaised,
    WarningWithdrawn,
)
from services.conduct.call import Call
from services.conduct.channel import Words
from services.conduct.checklist.book import Checklist, RequiredPhrase
from services.conduct.checklist.ticks import Tick
from services.conduct.manners.book import MannerBook
from services.conduct.waits.book import CardText, WaitingBook

_MOMENT_PRIORITY = 70


class Notices:
    """Makes the events of one rule set."""

    def __init__(
        self,
        waiting: WaitingBook,
        required: Checklist,
        manner: MannerBook,
    ) -> None:
        self.waiting = waiting
        self.required = required
        self.manner = manner
        self.times = waiting.times
        self.limits = manner.limits
        self.thanks_for_waiting = frozenset(
            phrase.id for phrase in required.phrases if phrase.told_by == "hold_without_thanks"
        )
        self._texts = {
            **{
                kind: (text, f"waiting-{waiting.version}")
                for kind, text in waiting.file.warnings.items()
            },
            **{
                kind: (text, f"manner-{manner.version}")
                for kind, text in manner.file.warnings.items()
            },
        }
        self._required_version = f"required-{required.version}"

    def warning(
        self,
        call: Call,
        kind: WarningKind,
        *,
        level: Level = "alarm",
        at: int,
        end: int,
        due: int,
        causes: Iterable[str] = (),
        evidence: Evidence | None = None,
        provisional: bool = False,
        word: str = "",
        returned: int = 0,
    ) -> WarningRaised:
        """A warning about behaviour in time. `at`, `end`, `due`: ms; `word`: the one it is about,
        where it is one; `returned`: how often it was raised and taken back, since a warning that
        is raised again is another one, with an id of its own."""
        text = self._texts[kind][0]
        name = kind if level == "alarm" else f"{kind}_{level}"
        return WarningRaised(
            call_id=call.call_id,
            site=call.site,
            at_ms=at,
            by=self._by(kind),
            derived_from=_named(causes),
            evidence=(evidence or Evidence(start_ms=at, end_ms=max(at, end)),),
            warning_id=f"{name}-{at}" + (f"-{returned + 1}" if returned else ""),
            kind=kind,
            level=level,
            provisional=provisional,
            end_ms=max(at, end),
            due_ms=due,
            phrase=word,
            message=text.message.replace("{word}", word),
            instead=text.instead,
        )

    def withdrawn(
        self, call: Call, kind: WarningKind, warning_id: str, at: int, reason: str, cause: str
    ) -> WarningWithdrawn:
        """A warning is taken back. `at` is the warning's own time."""
        return WarningWithdrawn(
            call_id=call.call_id,
            site=call.site,
            at_ms=at,
            by=self._by(kind),
            derived_from=_named([cause]),
            warning_id=warning_id,
            reason=reason,
        )

    def confirmed(
        self,
        call: Call,
        kind: WarningKind,
        warning_id: str,
        at: int,
        words: Iterable[Words],
        cause: str,
    ) -> WarningConfirmed:
        """A provisional warning holds, for the speech `cause` and these words of the agent."""
        known = tuple(words)
        return WarningConfirmed(
            call_id=call.call_id,
            site=call.site,
            at_ms=at,
            by=self._by(kind),
            derived_from=_named([cause, *(w.event_id for w in known)]),
            evidence=tuple(agent_words(w) for w in known),
            warning_id=warning_id,
        )

    def moment_card(
        self,
        call: Call,
        kind: WarningKind,
        text: CardText,
        card_id: str,
        at: int,
        why: str,
        cause: str,
    ) -> CardShown:
        """A card with the wording a moment of waiting needs. `cause`: what the waiting began by."""
        return CardShown(
            call_id=call.call_id,
            site=call.site,
            at_ms=at,
            by=self._by(kind),
            derived_from=_named([cause]),
            evidence=(Evidence(start_ms=at, end_ms=at),),
            card_id=card_id,
            slot="moment",
            kind="wording",
            title=text.title,
            body=text.body,
            why=why,
            priority=_MOMENT_PRIORITY,
        )

    def card_withdrawn(
        self, call: Call, kind: WarningKind, card_id: str, at: int, reason: str, cause: str
    ) -> CardWithdrawn:
        """A moment has passed. `cause`: the event that ended it."""
        return CardWithdrawn(
            call_id=call.call_id,
            site=call.site,
            at_ms=at,
            by=self._by(kind),
            derived_from=_named([cause]),
            card_id=card_id,
            reason=reason,
        )

    def phrase(
        self,
        what: Literal["due", "said"],
        call: Call,
        phrase: RequiredPhrase,
        at: int,
        cause: str,
        words: Words | None = None,
    ) -> PhraseDue | PhraseSaid:
        """A required phrase: its moment has come by `cause`, or it was heard in `words`."""
        model = PhraseDue if what == "due" else PhraseSaid
        return model(
            call_id=call.call_id,
            site=call.site,
            at_ms=at,
            by=Producer(name=phrase.id, version=self._required_version, source=phrase.source),
            derived_from=_named([cause]),
            evidence=(agent_words(words),) if words else (),
            phrase=phrase.id,
            name=phrase.name,
        )

    def missed(self, call: Call, tick: Tick, at: int, cause: str) -> WarningRaised:
        """The moment of a required phrase has passed without it, at `at` by the event `cause`."""
        phrase = self.required.by_id[tick.phrase]
        assert phrase.level is not None
        end = max(at, tick.due)
        return WarningRaised(
            call_id=call.call_id,
            site=call.site,
            at_ms=tick.due,
            by=Producer(name=phrase.id, version=self._required_version, source=phrase.source),
            derived_from=_named([tick.cause, cause]),
            evidence=(tick.evidence or Evidence(start_ms=tick.due, end_ms=end),),
            warning_id=f"missing-{phrase.id}-{tick.due}",
            kind="missing_phrase",
            level=phrase.level,
            end_ms=end,
            due_ms=end,
            phrase=phrase.name,
            message=phrase.message,
            instead=phrase.instead,
        )

    def _by(self, kind: WarningKind) -> Producer:
        text, version = self._texts[kind]
        return Producer(name=kind, version=version, source=text.source)


def _named(causes: Iterable[str]) -> tuple[str, ...]:
    """Each once; an event that was missed has no id."""
    return tuple(dict.fromkeys(cause for cause in causes if cause))


def agent_words(words: Words) -> Evidence:
    """An agent's utterance as evidence."""
    return Evidence(words=words.text, role="agent", start_ms=words.start, end_ms=words.end)
