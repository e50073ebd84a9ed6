"""The events conduct says about forbidden phrases: raised, confirmed, taken back, and the card."""

from __future__ import annotations

from contracts.base import Evidence, Producer
from contracts.card import CardShown
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from services.conduct.phrases.book import Hit

WRONG_CARD_MS = 20_000
"""How long the card beside a forbidden phrase stays."""
_PRIORITY: dict[str, int] = {"low": 60, "medium": 70, "high": 80}


def warning_of(rule: str, utterance: int) -> str:
    """Id of the warning about a rule in the utterance that began at `utterance`, ms: the same on a
    partial and on the final, so that whoever knows warnings by their id shows it once."""
    return f"{rule}-{utterance}"


AGAIN = "-again"
"""What the id of a warning ends with that is raised after one of its id was taken back: neither
score nor desk would take that one up again."""


def place_of(warning: WarningRaised) -> tuple[str, int]:
    """The rule a warning is about, and the start of the utterance, ms."""
    name, _, start = warning.warning_id.removesuffix(AGAIN).rpartition("-")
    return (name, int(start)) if start.isdecimal() else (name, warning.at_ms)


class PhraseNotices:
    """Makes the events of one version of the phrases."""

    def __init__(self, version: str) -> None:
        self._version = f"phrases-{version}"

    def raised(
        self,
        call_id: str,
        site: str,
        hit: Hit,
        utterance: tuple[int, str],
        span: tuple[int, int],
        *,
        provisional: bool = False,
        again: bool = False,
    ) -> WarningRaised:
        """A forbidden phrase was said in `span`, ms. `utterance`: its start, ms, and the event that
        holds its words; `again`: it was raised and taken back before."""
        rule, (start, cause), (begin, end) = hit.rule, utterance, span
        return WarningRaised(
            call_id=call_id,
            site=site,
            at_ms=begin,
            by=Producer(name=rule.id, version=self._version, source=rule.source),
            derived_from=(cause,),
            evidence=(_evidence(hit, span),),
            warning_id=warning_of(rule.id, start) + (AGAIN if again else ""),
            kind="forbidden_phrase",
            level="alarm",
            provisional=provisional,
            end_ms=end,
            due_ms=end,
            phrase=rule.canonical,
            message=f"说了不宜说的话：“{hit.words}”。",
            instead=rule.instead,
        )

    def confirmed(
        self, raised: WarningRaised, hit: Hit, cause: str, span: tuple[int, int]
    ) -> WarningConfirmed:
        """The final holds what the partial promised."""
        return WarningConfirmed(
            call_id=raised.call_id,
            site=raised.site,
            at_ms=raised.at_ms,
            by=raised.by,
            derived_from=(cause, raised.event_id),
            evidence=(_evidence(hit, span),),
            warning_id=raised.warning_id,
        )

    def confirmed_late(self, raised: WarningRaised) -> WarningConfirmed:
        """It comes back behind the firm warning of the same id."""
        return WarningConfirmed(
            call_id=raised.call_id,
            site=raised.site,
            at_ms=raised.at_ms,
            by=raised.by,
            derived_from=(raised.event_id,),
            evidence=raised.evidence,
            warning_id=raised.warning_id,
        )

    def refuted(self, raised: WarningRaised, cause: str) -> WarningWithdrawn:
        """The final does not hold what the partial promised; `cause`: that final, where known."""
        return WarningWithdrawn(
            call_id=raised.call_id,
            site=raised.site,
            at_ms=raised.at_ms,
            by=raised.by,
            derived_from=tuple(event for event in (cause, raised.event_id) if event),
            warning_id=raised.warning_id,
            reason="听完整句，并没有说这句话。",
        )

    def better_wording(self, warning: WarningRaised, hit: Hit) -> CardShown:
        """The card beside a forbidden phrase."""
        return CardShown(
            call_id=warning.call_id,
            site=warning.site,
            at_ms=warning.at_ms,
            by=warning.by,
            derived_from=(*warning.derived_from, warning.event_id),
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


def _evidence(hit: Hit, span: tuple[int, int]) -> Evidence:
    begin, end = span
    return Evidence(words=hit.words, role="agent", start_ms=begin, end_ms=end, score=hit.score)
