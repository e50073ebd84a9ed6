"""Which characters of a line mean something: forbidden words, the question asked, corrections, and
what turned the call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from contracts.base import Evidence, Role
from services.desk.call_view import CallView, Line, Mark, MarkKind

_IGNORED = frozenset("，。？！、；：“”‘’（）…—·,.?!;:\"'() \t")


@dataclass(frozen=True, slots=True)
class Hit:
    """Words that some event points at."""

    kind: MarkKind
    role: Role
    words: str
    start_ms: int
    end_ms: int
    note: str


def hits_of(view: CallView) -> list[Hit]:
    """What the call's warnings, cards and turns point at in its words."""
    found: list[Hit] = []
    for warning in view.warnings:
        event = warning.event
        taken_back = warning.withdrawn or warning.provisional or warning.verdict == "wrong"
        if event.kind == "forbidden_phrase" and event.level != "note" and not taken_back:
            note = f"这句不宜说：{event.phrase}" if event.phrase else "这句不宜说"
            found += _hits("forbidden", "agent", event.evidence, note)
    for card in view.cards:
        if card.event.slot == "answer" and not card.withdrawn and card.verdict != "wrong":
            found += _hits("asked", "caller", card.event.evidence, card.event.title)
    for turn in view.turns:
        note = f"从“{turn.previous}”转为“{turn.type}”"
        found += _hits("turned", "caller", turn.evidence, note)
    return found


def remarked(view: CallView) -> CallView:
    """The view with its lines marked anew, after something that points at words changed."""
    hits = hits_of(view)
    return replace(view, lines=tuple(marked(line, hits) for line in view.lines))


def _hits(kind: MarkKind, role: Role, evidence: Iterable[Evidence], note: str) -> list[Hit]:
    return [
        Hit(kind, role, piece.words, piece.start_ms, piece.end_ms, note)
        for piece in evidence
        if piece.words and piece.role in (role, None)
    ]


def marked(line: Line, hits: Iterable[Hit]) -> Line:
    """The line with its marks, in order, without overlaps; the graver mark wins."""
    found: list[Mark] = []
    for hit in hits:
        overlaps = hit.start_ms <= line.end_ms and line.start_ms <= hit.end_ms
        if hit.role == line.role and overlaps and (span := find_words(line.text, hit.words)):
            found.append(Mark(*span, hit.kind, hit.note))
    for correction in line.corrections:
        start, end = correction.start, correction.start + len(correction.made)
        if line.text[start:end] == correction.made and correction.made:
            found.append(Mark(start, end, "corrected", f"听到的是“{correction.heard}”"))
    order: dict[MarkKind, int] = {"forbidden": 0, "corrected": 1, "asked": 2, "turned": 3}
    kept: list[Mark] = []
    for mark in sorted(found, key=lambda m: (order[m.kind], m.start, m.end)):
        if all(mark.end <= other.start or other.end <= mark.start for other in kept):
            kept.append(mark)
    marks = tuple(sorted(kept, key=lambda m: m.start))
    return line if marks == line.marks else replace(line, marks=marks)


def find_words(text: str, words: str) -> tuple[int, int] | None:
    """Where `words` stand in `text`, punctuation and spaces left out; None where they do not.

    Words that run over into another line are found by the part that stands in this one
    (at least three characters at its end or beginning).
    """
    place = [i for i, c in enumerate(text) if c not in _IGNORED]
    bare = "".join(text[i] for i in place)
    wanted = "".join(c for c in words if c not in _IGNORED)
    if not bare or not wanted:
        return None
    at, length = bare.find(wanted), len(wanted)
    if at < 0:
        at, length = _shared_edge(bare, wanted)
    if at < 0:
        return None
    return place[at], place[at + length - 1] + 1


def _shared_edge(bare: str, wanted: str) -> tuple[int, int]:
    for length in range(min(len(bare), len(wanted)) - (len(bare) == len(wanted)), 2, -1):
        if bare.endswith(wanted[:length]):
            return len(bare) - length, length
        if bare.startswith(wanted[-length:]):
            return 0, length
    # The whole line lies inside the words.
    return (0, len(bare)) if len(bare) > 2 and bare in wanted else (-1, 0)
