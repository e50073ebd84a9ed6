"""What the agent's page shows of a call: JSON-ready sections, each replaced as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from contracts.base import Evidence
from contracts.card import CardKind, CardShown, Source
from services.desk import score_page, slots, type_page, wording, wordings
from services.desk.call_view import CallView, Line, ShownCard, StandingWarning
from services.desk.marks import find_words
from services.desk.wire import Json, Sections, millis, words

ALTERNATIVES = 2
"""At most so many other matters are named on a card."""
REST = 12
"""How many characters of a line stand behind the words that were heard."""

_LABELS: dict[CardKind, tuple[str, str]] = {
    "better_wording": ("must_not", "换个说法"),
    "answer": ("answer", "可以这样答"),
    "transfer": ("advice", "请转接"),
    "announced": ("answer", "统一口径"),
    "advice": ("advice", "处理建议"),
    "wording": ("advice", "可以说"),
}
"""Tone and word of each kind of card: a colour never speaks alone."""
_ALOUD: dict[str, str] = {
    "step": "步骤",
    "phone": "电话",
    "address": "地址",
    "hours": "时间",
    "papers": "材料",
}


def sections(view: CallView, *, quiet: bool) -> Sections:
    """All sections of one call but its lines. `quiet`: nothing was heard of it for a while."""
    return {
        "head": {
            "agent": view.agent_id,
            "number": view.number,
            "region": view.region,
            "started": millis(view.started_at),
            "earlier": view.earlier_calls,
        },
        "clock": clock(view),
        "end": _end(view),
        "quiet": quiet,
        "type": type_page.call_type(view),
        "course": type_page.course(view),
        "delay": {"last": view.delay_ms, "awaiting": view.awaiting_ms},
        "partials": [
            {"role": p.role, "at": p.at_ms, "text": p.text}
            for p in sorted(view.partials, key=lambda p: p.at_ms)
        ],
        "speaking": sorted({s.role for s in view.speech if s.end_ms is None and view.live}),
        "cards": {slot: _place(view, card) for slot, card in slots.placed(view).items()},
        "gone": _gone(view),
        "advice": _advice(view),
        "wait": wait(view),
        "ticks": [{"name": t.name, "state": t.state, "at": t.at_ms} for t in view.ticks],
        "score": score_page.score(view),
        "warnings": [
            {
                "id": w.event.warning_id,
                "title": wording.WARNING_TITLES[w.event.kind],
                "alarm": w.event.level == "alarm",
                "at": w.event.at_ms,
                "words": words(w.event.evidence),
                "message": w.event.message,
                "verdict": w.verdict,
            }
            for w in view.warnings
            if not (w.withdrawn or w.provisional or w.event.level == "note")
        ],
        "wordings": wordings.brought_up(view),
        "used": list(
            dict.fromkeys(card.event.title for card in view.cards if card.verdict == "useful")
        ),
    }


def line(item: Line) -> Json:
    """One utterance."""
    return {
        "role": item.role,
        "at": item.start_ms,
        "text": item.text,
        "marks": [[m.start, m.end, m.kind, m.note] for m in item.marks],
    }


def clock(view: CallView) -> Json:
    """A moment of the audio clock, and when it was: the page counts on from there."""
    if view.clock is None or view.started_at is None:
        return None
    if view.ended_ms is not None:
        return {"at": view.ended_ms, "wall": millis(view.ended_at), "runs": False}
    return {"at": 0, "wall": millis(view.clock.zero), "runs": True}


def _advice(view: CallView) -> Json:
    """The advice for the whole call, on the page or not; `stands`: it has the place of this moment
    whenever nothing else does."""
    card = slots.advice(view)
    if card is None:
        return None
    return _card(view, card) | {"stands": view.live and card.stands(view.now_ms)}


def _gone(view: CallView) -> Json:
    """Ids of the answers that were taken back: nobody may go on reading one."""
    last = {card.event.card_id: card for card in view.cards if card.event.slot == "answer"}
    return [card_id for card_id, card in last.items() if card.withdrawn]


def wait(view: CallView) -> Json:
    """What the ring counts: the caller waiting, or nobody speaking."""
    if view.hold:
        return {"kind": "hold", "start": view.hold.at_ms, "limit": view.hold.limit_ms}
    if view.silence:
        kind = "announced" if view.silence.announced else "silence"
        return {"kind": kind, "start": view.silence.at_ms, "limit": None}
    return None


def _end(view: CallView) -> Json:
    if view.ended_at is None:
        return None
    return {
        "at": view.ended_ms,
        "wall": millis(view.ended_at),
        "by": wording.ENDED_BY[view.ended_by or "unknown"],
    }


def _place(view: CallView, item: ShownCard | StandingWarning | None) -> Json:
    if item is None:
        return None
    return _card(view, item) if isinstance(item, ShownCard) else _warning(view, item)


def _card(view: CallView, card: ShownCard) -> Json:
    event = card.event
    tone, label = _LABELS[event.kind]
    if event.slot == "wrong" and event.kind != "better_wording":
        tone = "about_to"
    shown = {
        "id": event.card_id,
        "target": "card",
        "tone": tone,
        "quiet": False,
        "pending": False,
        "label": label,
        "title": event.title,
        "heard": _heard(view, event.evidence) if event.slot == "wrong" else None,
        "body": event.body,
        "avoid": event.avoid,
        "why": event.why,
        "asked": [[span.start, span.end] for span in event.asked],
        "aloud": _aloud(event),
        "note": event.note,
        "source": source_rows(event.source, kind=event.kind),
        "origin": wording.rule_source(event.by.source),
        "confidence": event.confidence,
        "alternatives": [a.question for a in event.alternatives[:ALTERNATIVES]],
        "kind": event.kind,
        "at": card.seen_ms,
        "expires": event.expires_ms,
        "verdict": card.verdict,
    }
    if event.kind == "transfer" and shown["aloud"]:
        shown["source"] = [row for row in shown["source"] if row[0] != "电话"]  # stands above
    # With its warning it is one matter: under the warning's name, as firm as that is.
    warning = slots.about(view, card)
    return shown | _standing(warning) if warning else shown


def _aloud(event: CardShown) -> Json:
    """Pieces to read out one by one; of a transfer, the number it goes to."""
    if event.kind == "transfer":
        phone = event.source.phone if event.source else None
        return [[_ALOUD["phone"], phone]] if phone else []
    return [[_ALOUD[piece.kind], piece.text] for piece in event.aloud]


def _standing(warning: StandingWarning) -> dict[str, Json]:
    """What a warning says of itself, alone or on the card that belongs to it."""
    loud = slots.is_loud(warning)
    return {
        "id": warning.event.warning_id,
        "target": "warning",
        "tone": "must_not" if loud else "about_to",
        "quiet": not loud,
        "pending": warning.provisional,
        "label": wording.WARNING_TITLES[warning.event.kind],
        "at": warning.seen_ms,
    }


def _warning(view: CallView, warning: StandingWarning) -> Json:
    event = warning.event
    return _standing(warning) | {
        "title": "",
        "heard": _heard(view, event.evidence) if event.kind == "forbidden_phrase" else None,
        "body": event.instead,
        "avoid": "",
        "asked": [],
        "aloud": [],
        "note": "",
        "why": event.message,
        "source": None,
        "origin": wording.rule_source(event.by.source),
        "confidence": None,
        "alternatives": [],
        "kind": event.kind,
        "expires": slots.leaves_at(warning),
        "verdict": None,
    }


def _heard(view: CallView, evidence: Sequence[Evidence]) -> Json:
    """The words as heard, and what follows them in their line."""
    pieces = [piece for piece in evidence if piece.words]
    for item in view.lines if len(pieces) == 1 else ():
        piece = pieces[0]
        same = piece.role in (item.role, None)
        overlaps = piece.start_ms <= item.end_ms and item.start_ms <= piece.end_ms
        if same and overlaps and (span := find_words(item.text, piece.words)):
            start, end = span
            return {"words": item.text[start:end], "rest": item.text[end : end + REST]}
    return {"words": words(pieces), "rest": ""} if pieces else None


def source_rows(source: Source | None, *, kind: CardKind) -> Json:
    """Where an answer comes from, in labelled rows; what is not recorded says so."""
    if source is None:
        return None
    known = wording.NOT_RECORDED
    if kind == "announced":
        by = " ".join(filter(None, (source.authorised_by or known, day(source.authorised_at))))
        return [
            ("地区", source.region),
            ("发布", by),
            ("有效至", day(source.valid_to) or "另行通知"),
        ]
    if kind == "transfer":
        who = (source.liaison, source.phone)
        return [
            ("部门", source.department),
            ("地区", source.region),
            ("联络员", who[0] or known),
            ("电话", who[1] or known),
        ]
    by = " ".join(filter(None, (source.authorised_by or known, day(source.authorised_at))))
    return [
        ("部门", source.department),
        ("地区", source.region),
        ("依据", source.document or known),
        ("授权", by),
        ("有效至", day(source.valid_to) or known),
        ("版本", f"第 {source.version} 版" if source.version else known),
    ]


def day(value: date | None) -> str:
    """ISO date; empty for None."""
    return value.isoformat() if value else ""
