"""Warnings that reach a supervisor: counted, confirmed, taken back. Part of the policy's fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from contracts.base import Event, Evidence, Producer
from contracts.escalation import EscalationClosed, EscalationRaised
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from services.escalation.rules import WarningRule, count_word
from services.escalation.view import (
    MAX_EVIDENCE,
    SYSTEM,
    CallView,
    Followed,
    Policy,
    Standing,
    wording,
)


def raised(view: CallView, warning: WarningRaised, policy: Policy) -> Followed:
    """Count the warning, or let it wait for its confirmation where it is provisional."""
    id_ = warning.warning_id
    known = {held.warning_id for held in (*view.waiting, *view.counted)}
    if id_ in known or id_ in view.withdrawn:
        return view, ()
    if warning.provisional and id_ not in view.confirmed:
        return replace(view, waiting=(*view.waiting, warning)), ()
    return _counts(view, warning, (warning.event_id,), policy)


def confirmed(view: CallView, event: WarningConfirmed, policy: Policy) -> Followed:
    """Count the warning that waited."""
    view = replace(view, confirmed=view.confirmed | {event.warning_id})
    for warning in view.waiting:
        if warning.warning_id == event.warning_id:
            rest = tuple(held for held in view.waiting if held is not warning)
            view = replace(view, waiting=rest)
            return _counts(view, warning, (warning.event_id, event.event_id), policy)
    return view, ()


def _counts(
    view: CallView, warning: WarningRaised, because: Sequence[str], policy: Policy
) -> Followed:
    """A warning holds: see which rules it completes."""
    view = replace(view, counted=(*view.counted, warning))
    events: list[Event] = []
    for rule in policy.rules.warnings:
        if not _matches(rule, warning):
            continue
        before = [s for s in view.standing if s.rule.id == rule.id]
        if not rule.again and any(not s.false for s in before):
            continue
        free = _free(view, rule)
        if len(free) < rule.times:
            continue
        event = _from_warnings(view, rule, free, because, len(before) + 1, policy)
        basis = frozenset(held.warning_id for held in free)
        standing = Standing(rule, event.escalation_id, event.at_ms, basis)
        view = replace(view, standing=(*view.standing, standing))
        events.append(event)
    return view, events


def _from_warnings(
    view: CallView,
    rule: WarningRule,
    free: Sequence[WarningRaised],
    because: Sequence[str],
    number: int,
    policy: Policy,
) -> EscalationRaised:
    """The escalation that `free` make, the last of them being the one that `because` tells of."""
    last = free[-1]
    in_call = sum(_matches(rule, held) for held in view.counted)
    evidence = _evidence(free)
    words = [item.words for item in evidence if item.words] or [w.phrase for w in free if w.phrase]
    fills = {
        "times": count_word(len(free) if rule.counted == "in_a_row" else in_call),
        "seconds": str(max(0, last.end_ms - last.at_ms) // 1000),
        "words": "".join(f"“{heard}”" for heard in words),
    }
    return EscalationRaised(
        call_id=view.call_id,
        site=view.site,
        at_ms=max(last.at_ms, last.due_ms),
        by=Producer(name=rule.id, version=policy.rules.stamp, source=rule.source),
        derived_from=(*(held.event_id for held in free[:-1]), *because),
        evidence=evidence,
        escalation_id=f"{rule.id}.{number}",
        agent_id=view.agent_id,
        **wording(rule, fills),
    )


def _matches(rule: WarningRule, warning: WarningRaised) -> bool:
    return warning.kind in rule.kinds and warning.level in (rule.level, "alarm")


def _free(view: CallView, rule: WarningRule) -> list[WarningRaised]:
    """Warnings that count for a rule and carry no escalation of it that still stands."""
    taken = {id_ for s in view.standing if s.rule.id == rule.id and not s.false for id_ in s.basis}
    free: list[WarningRaised] = []
    for warning in view.counted:
        if _matches(rule, warning):
            if warning.warning_id not in taken:
                free.append(warning)
        elif rule.counted == "in_a_row" and warning.kind not in rule.kinds:
            free.clear()
    return free


def withdrawn(view: CallView, event: WarningWithdrawn) -> Followed:
    """Forget the warning; close as false what no longer has enough to rest on."""
    gone = event.warning_id
    view = replace(
        view,
        withdrawn=view.withdrawn | {gone},
        waiting=tuple(w for w in view.waiting if w.warning_id != gone),
        counted=tuple(w for w in view.counted if w.warning_id != gone),
    )
    events: list[Event] = []
    for index, standing in enumerate(view.standing):
        if standing.closed or standing.false or gone not in standing.basis:
            continue
        rule, left = standing.rule, standing.basis - {gone}
        # Others that came since may carry it instead.
        spare = [w.warning_id for w in _free(view, rule)]
        left |= frozenset(spare[: max(0, rule.times - len(left))])
        holds = len(left) >= rule.times
        changed = replace(standing, basis=left, false=not holds)
        view = replace(
            view, standing=(*view.standing[:index], changed, *view.standing[index + 1 :])
        )
        if not holds:
            events.append(
                EscalationClosed(
                    call_id=view.call_id,
                    site=view.site,
                    # Events of an escalation bear its moment: one close, whoever closes it.
                    at_ms=standing.at_ms,
                    escalation_id=standing.escalation_id,
                    supervisor=SYSTEM,
                    verdict="false",
                )
            )
    return view, events


def closed(view: CallView, event: EscalationClosed) -> CallView:
    """Note that a supervisor closed it: nothing changes it any more."""
    standing = tuple(
        replace(s, closed=True) if s.escalation_id == event.escalation_id and not s.false else s
        for s in view.standing
    )
    return replace(view, standing=standing)


def _evidence(warnings: Sequence[WarningRaised]) -> tuple[Evidence, ...]:
    found: list[Evidence] = []
    for warning in warnings:
        span = Evidence(start_ms=warning.at_ms, end_ms=warning.end_ms)
        found.extend(warning.evidence or (span,))
    return tuple(found[-MAX_EVIDENCE:])
