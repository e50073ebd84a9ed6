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
from services.conduct.call import Call, Words
from services.conduct.phrases import Hit
from services.conduct.waiting import CardText, RequiredPhrase, WaitingBook

WRONG_CARD_MS = 20_000
"""How long the card beside a forbidden phrase stays."""
_PRIORITY: dict[str, int] = {"low": 60, "medium": 70, "high": 80}
_MOMENT_PRIORITY = 70


class Notices:
    """Makes the events of one rule set."""

    def __init__(self, waiting: WaitingBook, phrases_version: str) -> None:
        self.waiting = waiting
        self.times = waiting.times
        self._waiting_version = f"waiting-{waiting.version}"
        self._phrases_version = f"phrases-{phrases_version}"

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
    ) -> WarningRaised:
        """A warning about behaviour in time. `at`, `end`, `due`: ms."""
        text = self.waiting.file.warnings[kind]
        name = kind if level == "alarm" else f"{kind}_{level}"
        return WarningRaised(
            call_id=call.call_id,
            site=call.site,
            at_ms=at,
            by=self._by(kind, text.source),
            derived_from=_named(causes),
            evidence=(evidence or Evidence(start_ms=at, end_ms=max(at, end)),),
            warning_id=f"{name}-{at}",
            kind=kind,
            level=level,
            provisional=provisional,
            end_ms=max(at, end),
            due_ms=due,
            message=text.message,
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
            by=self._by(kind, self.waiting.file.warnings[kind].source),
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
            by=self._by(kind, self.waiting.file.warnings[kind].source),
            derived_from=_named([cause, *(w.event_id for w in known)]),
            evidence=tuple(agent_words(w) for w in known),
            warning_id=warning_id,
        )

    def forbidden(self, call: Call, hit: Hit, words: Words, begin: int, end: int) -> WarningRaised:
        """A forbidden phrase was said between `begin` and `end`, ms, in the utterance `words`."""
        rule = hit.rule
        return WarningRaised(
            call_id=call.call_id,
            site=call.site,
            at_ms=begin,
            by=Producer(name=rule.id, version=self._phrases_version, source=rule.source),
            derived_from=(words.event_id,),
            evidence=(
                Evidence(
                    words=hit.words, role="agent", start_ms=begin, end_ms=end, score=hit.score
                ),
            ),
            warning_id=f"{rule.id}-{begin}",
            kind="forbidden_phrase",
            level="alarm",
            end_ms=end,
            due_ms=end,
            phrase=rule.canonical,
            message=f"说了不宜说的话：“{hit.words}”。",
            instead=rule.instead,
        )

    def better_wording(self, warning: WarningRaised, hit: Hit) -> CardShown:
        """The card beside a forbidden phrase."""
        return CardShown(
            call_id=warning.call_id,
            site=warning.site,
            at_ms=warning.at_ms,
            by=warning.by,
            derived_from=warning.derived_from,
            evidence=warning.evidence,
            card_id=f"wrong-{warning.warning_id}",
            slot="wrong",
            kind="better_wording",
            title="这句不宜说",
            body=hit.rule.instead,
            avoid=hit.rule.canonical,
            why=f"听到“{hit.words}”，属于禁用语“{hit.rule.canonical}”（{hit.rule.source}）。",
            priority=_PRIORITY[hit.rule.severity],
            expires_ms=warning.end_ms + WRONG_CARD_MS,
            confidence=min(hit.score, 1.0),
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
            by=self._by(kind, self.waiting.file.warnings[kind].source),
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
            by=self._by(kind, self.waiting.file.warnings[kind].source),
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
            by=self._by(phrase.id, phrase.source),
            derived_from=_named([cause]),
            evidence=(agent_words(words),) if words else (),
            phrase=phrase.id,
            name=phrase.name,
        )

    def _by(self, rule: str, source: str) -> Producer:
        return Producer(name=rule, version=self._waiting_version, source=source)


def _named(causes: Iterable[str]) -> tuple[str, ...]:
    """Each once; an event that was missed has no id."""
    return tuple(dict.fromkeys(cause for cause in causes if cause))


def agent_words(words: Words) -> Evidence:
    """An agent's utterance as evidence."""
    return Evidence(words=words.text, role="agent", start_ms=words.start, end_ms=words.end)
