"""The policy at work: a pure fold over a call's events that says what must reach a supervisor.

`follow` takes what is known of a call and the next event, and gives back what is known now and the
events that follow. It takes events in any order and never raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from contracts.base import Event, Evidence, Producer
from contracts.call import CallStarted
from contracts.call_type import CallTypeAssessed, CallTypeTurned
from contracts.escalation import EscalationClosed, EscalationRaised
from contracts.transcript import TranscriptFinal
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from services.escalation import warned
from services.escalation.red_lines import REACH, Heard
from services.escalation.rules import RedLineRule, TypeRule
from services.escalation.view import MAX_EVIDENCE, CallView, Followed, Policy, Tail, wording

CUT_MS = 600
"""Finals of the caller this close are read as one: a long utterance is cut at a short pause."""


def follow(view: CallView, event: Event, policy: Policy) -> Followed:
    """Fold one event in; what must be published follows."""
    match event:
        case CallStarted():
            return replace(view, agent_id=event.agent_id), ()
        case WarningRaised():
            return warned.raised(view, event, policy)
        case WarningConfirmed():
            return warned.confirmed(view, event, policy)
        case WarningWithdrawn():
            return warned.withdrawn(view, event)
        case CallTypeAssessed():
            return _assessed(view, event, policy)
        case CallTypeTurned():
            return _turned(view, event, policy)
        case TranscriptFinal() if event.role == "caller":
            return _said(view, event, policy)
        case EscalationClosed():
            return warned.closed(view, event), ()
    return view, ()


def _assessed(view: CallView, event: CallTypeAssessed, policy: Policy) -> Followed:
    if view.assessed is None or view.assessed.type != event.type:
        view = replace(view, type_since_ms=event.at_ms)
    view = replace(view, assessed=event)
    rules = [rule for rule in policy.rules.call_types if not (rule.turns_into or rule.lasts_s)]
    return _typed(view, event, rules, (event,), policy)


def _turned(view: CallView, event: CallTypeTurned, policy: Policy) -> Followed:
    rules = [rule for rule in policy.rules.call_types if rule.turns_into]
    return _typed(view, event, rules, (event,), policy)


def _lasted(view: CallView, said: TranscriptFinal, policy: Policy) -> Followed:
    """The caller goes on in a call that has long been of its type."""
    if view.assessed is None:
        return view, ()
    lasted_ms = said.at_ms - view.type_since_ms
    rules = [r for r in policy.rules.call_types if 0 < r.lasts_s * 1000 <= lasted_ms]
    return _typed(view, view.assessed, rules, (view.assessed, said), policy)


def _typed(
    view: CallView,
    found: CallTypeAssessed | CallTypeTurned,
    rules: Sequence[TypeRule],
    because: Sequence[Event],
    policy: Policy,
) -> Followed:
    """What these rules say of a type of call, each once a call."""
    raised: list[Event] = []
    for rule in rules:
        if rule.type != found.type or found.confidence < rule.confidence or rule.id in view.once:
            continue
        fills = {"type": rule.type, "percent": str(round(found.confidence * 100))}
        raised.append(
            EscalationRaised(
                call_id=view.call_id,
                site=view.site,
                at_ms=because[-1].at_ms,
                by=Producer(name=rule.id, version=policy.rules.stamp, source=rule.source),
                derived_from=tuple(event.event_id for event in because),
                evidence=found.evidence[:MAX_EVIDENCE],
                escalation_id=rule.id,
                agent_id=view.agent_id,
                **wording(rule, fills),
            )
        )
        view = replace(view, once=view.once | {rule.id})
    return view, raised


def _said(view: CallView, final: TranscriptFinal, policy: Policy) -> Followed:
    before = view.tail
    if before and not 0 <= final.at_ms - before.end_ms <= CUT_MS:
        before = None
    text = (before.text if before else "") + final.text
    raised: list[Event] = []
    for heard in policy.finder.find(text, beyond=len(text) - len(final.text)):
        escalation_id = f"red-line.{heard.line.id}"
        rule = policy.rules.red_lines
        if heard.sign:
            # A sign tells nothing new once the red line itself was heard.
            if policy.rules.red_line_signs is None or escalation_id in view.once:
                continue
            rule = policy.rules.red_line_signs
            escalation_id += ".sign"
        if escalation_id in view.once:
            continue
        view = replace(view, once=view.once | {escalation_id})
        # Words that began in the final before rest on both.
        start = before if before and heard.start < len(before.text) else None
        raised.append(_red_line(view, final, start, heard, escalation_id, rule, policy))
    if final.text:
        tail = Tail(final.text[-REACH:], final.at_ms, final.end_ms, final.event_id)
        view = replace(view, tail=tail)
    view, lasted = _lasted(view, final, policy)
    return view, [*raised, *lasted]


def _red_line(
    view: CallView,
    final: TranscriptFinal,
    before: Tail | None,
    heard: Heard,
    escalation_id: str,
    rule: RedLineRule,
    policy: Policy,
) -> EscalationRaised:
    fills = {"name": heard.line.name, "words": heard.words, "word": heard.word}
    said = wording(rule, fills)
    if heard.score < 1 and not heard.learned:
        said["reason"] = rule.reason_by_sound.format_map(fills)
    start_ms = before.start_ms if before else final.at_ms
    return EscalationRaised(
        call_id=view.call_id,
        site=view.site,
        at_ms=final.at_ms,
        by=Producer(
            name=escalation_id,
            version=policy.witness_version if heard.learned else policy.words_version,
            source=rule.source,
        ),
        derived_from=(*((before.event_id,) if before else ()), final.event_id),
        evidence=(
            Evidence(
                words=heard.words,
                role="caller",
                start_ms=start_ms,
                end_ms=final.end_ms,
                score=round(heard.score, 2),
            ),
        ),
        escalation_id=escalation_id,
        agent_id=view.agent_id,
        **said,
    )
