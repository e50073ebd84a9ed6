"""The live score: what the warnings of a call cost, and what people say against it.

A sheet depends on what happened alone, not on the order in which it became known: it is made anew
from all of it, and what differs from the sheet before is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from contracts.base import Event, Evidence, Producer
from contracts.requests import Deduction, ScoreSheet, Unjudged
from contracts.score import AppealDecided, DeductionAppealed, ScoreChanged
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from services.conduct.scoring.scale import Item, Scale

FULL = 100
LONGEST_ID = 200
"""A warning with a longer id cannot be a deduction: nobody could appeal it."""
State = Literal["stands", "appealed", "confirmed", "returned"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a score rests on, as it became known. Never changed in place."""

    warnings: Mapping[str, WarningRaised] = field(default_factory=dict)
    """By their id; of two with one id the first."""
    confirmed: Mapping[str, WarningConfirmed] = field(default_factory=dict)
    withdrawn: Mapping[str, WarningWithdrawn] = field(default_factory=dict)
    appealed: frozenset[str] = frozenset()
    """Deductions that were appealed."""
    decided: Mapping[str, AppealDecided] = field(default_factory=dict)
    """By deduction; of two decisions the first holds."""


@dataclass(frozen=True, slots=True)
class Charge:
    """A deduction, with the warning it rests on."""

    item: Item
    warning: WarningRaised
    state: State

    @property
    def costs(self) -> bool:
        """Whether its points are off now."""
        return self.state != "returned"


def note(facts: Facts, event: Event) -> Facts:
    """What an event adds to what is known; the same facts where it adds nothing."""
    match event:
        case WarningRaised() if event.warning_id not in facts.warnings:
            if len(event.warning_id) > LONGEST_ID:
                return facts
            return replace(facts, warnings={**facts.warnings, event.warning_id: event})
        case WarningConfirmed() if event.warning_id not in facts.confirmed:
            return replace(facts, confirmed={**facts.confirmed, event.warning_id: event})
        case WarningWithdrawn() if event.warning_id not in facts.withdrawn:
            return replace(facts, withdrawn={**facts.withdrawn, event.warning_id: event})
        case DeductionAppealed():
            return replace(facts, appealed=facts.appealed | {event.deduction_id})
        case AppealDecided() if event.deduction_id not in facts.decided:
            return replace(facts, decided={**facts.decided, event.deduction_id: event})
    return facts


def judge(facts: Facts, event: Event, scale: Scale) -> tuple[Facts, list[Event]]:
    """Take an event in, and tell what it changed in the score."""
    known = note(facts, event)
    if known is facts:
        return facts, []
    before, after = _charges(facts, scale), _charges(known, scale)
    now = _score(after.values())
    events: list[Event] = []
    for name, charge in sorted({**before, **after}.items()):
        was, costs = _costs(before.get(name)), _costs(after.get(name))
        if was != costs:
            events.append(_changed(charge, event, known, scale, now, made=costs))
    return known, events


def sheet(call_id: str, facts: Facts, scale: Scale) -> ScoreSheet:
    """A call's score with everything it rests on."""
    charges = _charges(facts, scale)
    return ScoreSheet(
        call_id=call_id,
        score=_score(charges.values()),
        deductions=tuple(
            Deduction(
                deduction_id=name,
                item=charge.item.id,
                name=charge.item.name,
                points=charge.item.points,
                reason=charge.warning.message,
                at_ms=charge.warning.at_ms,
                evidence=_evidence(charge.warning, facts),
                state=charge.state,
            )
            for name, charge in sorted(
                charges.items(), key=lambda named: (named[1].warning.at_ms, named[0])
            )
        ),
        unjudged=tuple(
            Unjudged(item=item.id, name=item.name, points=item.points, why=item.why)
            for item in scale.file.items
            if not item.judged
        ),
        rules=scale.version,
    )


def _charges(facts: Facts, scale: Scale) -> dict[str, Charge]:
    """The deductions of a call, by id. In each item what overlaps in time costs once, the first of
    it; so does what goes beyond the item's limit. A deduction that was given back on appeal keeps
    its place, so that nothing else takes it; a warning that was withdrawn leaves it."""
    charges: dict[str, Charge] = {}
    taken: dict[str, list[WarningRaised]] = {}
    for warning in sorted(facts.warnings.values(), key=lambda w: (w.at_ms, w.warning_id)):
        item = scale.item_of(warning)
        name = warning.warning_id
        if item is None or (warning.provisional and name not in facts.confirmed):
            continue
        places = taken.setdefault(item.id, [])
        if item.at_most is not None and len(places) >= item.at_most:
            continue
        if any(warning.at_ms < max(one.end_ms, one.at_ms + 1) for one in places):
            continue
        if name not in facts.withdrawn:
            places.append(warning)
        charges[name] = Charge(item, warning, _state(name, facts))
    return charges


def _state(name: str, facts: Facts) -> State:
    if name in facts.withdrawn:
        return "returned"
    if name not in facts.appealed:
        return "stands"
    decision = facts.decided.get(name)
    if decision is None:
        return "appealed"
    return "returned" if decision.accepted else "confirmed"


def _score(charges: Iterable[Charge]) -> int:
    off = [charge.item for charge in charges if charge.costs]
    if any(item.zeroes for item in off):
        return 0
    return max(0, FULL - sum(item.points for item in off))


def _costs(charge: Charge | None) -> bool:
    return charge is not None and charge.costs


def _evidence(warning: WarningRaised, facts: Facts) -> tuple[Evidence, ...]:
    """The words that confirmed a provisional warning tell more than what it was raised by."""
    confirmed = facts.confirmed.get(warning.warning_id) if warning.provisional else None
    return (confirmed.evidence if confirmed else ()) or warning.evidence


def _changed(
    charge: Charge, cause: Event, facts: Facts, scale: Scale, score: int, *, made: bool
) -> ScoreChanged:
    warning = charge.warning
    return ScoreChanged(
        call_id=warning.call_id,
        site=warning.site,
        at_ms=warning.at_ms,
        by=Producer(
            name=charge.item.id, version=f"score-{scale.version}", source=charge.item.source
        ),
        derived_from=tuple(dict.fromkeys((warning.event_id, cause.event_id))),
        evidence=_evidence(warning, facts),
        deduction_id=warning.warning_id,
        item=charge.item.id,
        name=charge.item.name,
        score=score,
        points=-charge.item.points if made else charge.item.points,
        reason=warning.message if made else _why_returned(cause),
    )


def _why_returned(cause: Event) -> str:
    match cause:
        case WarningWithdrawn():
            return cause.reason
        case AppealDecided() | DeductionAppealed():
            return "申诉成立，分数退回。"
    return "同一时间的同类问题只扣一次。"
