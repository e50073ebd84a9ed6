"""The policy at work: a pure fold over a call's events that says what must reach a supervisor.

`follow` takes what is known of a call and the next event, and gives back what is known now and the
events that follow. It takes events in any order and never raises.
"""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event, Evidence, Producer
from contracts.call import CallStarted
from contracts.call_type import CallTypeAssessed
from contracts.escalation import EscalationClosed, EscalationRaised
from contracts.transcript import TranscriptFinal
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from services.escalation import warned
from services.escalation.red_lines import MAX_WORD, Heard
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
        case TranscriptFinal() if event.role == "caller":
            return _said(view, event, policy)
        case EscalationClosed():
            return warned.closed(view, event), ()
    return view, ()


def _assessed(view: CallView, event: CallTypeAssessed, policy: Policy) -> Followed:
    if event.type is None:
        return view, ()
    if event.type != view.call_type:
        before = view.call_type or event.previous
        view = replace(view, call_type=event.type, came_from=before)
    raised: list[Event] = []
    for rule in policy.rules.call_types:
        turned = view.came_from is not None and view.came_from != event.type
        if rule.type != event.type or event.confidence < rule.confidence:
            continue
        if rule.id in view.once or (rule.turns_into and not turned):
            continue
        fills = {"type": event.type, "percent": str(round(event.confidence * 100))}
        raised.append(
            EscalationRaised(
                call_id=view.call_id,
                site=view.site,
                at_ms=event.at_ms,
                by=Producer(name=rule.id, version=policy.rules.stamp, source=rule.source),
                derived_from=(event.event_id,),
                evidence=event.evidence[:MAX_EVIDENCE],
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
        if escalation_id in view.once:
            continue
        view = replace(view, once=view.once | {escalation_id})
        # Words that began in the final before rest on both.
        start = before if before and heard.start < len(before.text) else None
        raised.append(_red_line(view, final, start, heard, escalation_id, policy))
    if final.text:
        tail = Tail(final.text[-MAX_WORD:], final.at_ms, final.end_ms, final.event_id)
        view = replace(view, tail=tail)
    return view, raised


def _red_line(
    view: CallView,
    final: TranscriptFinal,
    before: Tail | None,
    heard: Heard,
    escalation_id: str,
    policy: Policy,
) -> EscalationRaised:
    rule = policy.rules.red_lines
    fills = {"name": heard.line.name, "words": heard.words, "word": heard.word}
    said = wording(rule, fills)
    if heard.score < 1:
        said["reason"] = rule.reason_by_sound.format_map(fills)
    start_ms = before.start_ms if before else final.at_ms
    return EscalationRaised(
        call_id=view.call_id,
        site=view.site,
        at_ms=final.at_ms,
        by=Producer(name=escalation_id, version=policy.words_version, source=rule.source),
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
