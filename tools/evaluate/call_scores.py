"""Scoring recorded calls: what the system raised beside what is true. Pure: values in, figures out.

The rules are those of the sample calls' README: an event is found by kind and overlap in time (with
a tolerance), announced silences count neither as found nor as missed nor as false.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz.distance import Levenshtein

from contracts.warning import WarningKind
from tools.evaluate.report import Figures, ratio

TOLERANCE_S = 1.0
"""Boundaries may differ by this much, seconds."""
KINDS: tuple[WarningKind, ...] = (
    "forbidden_phrase", "silence", "hold_over_30s", "silent_caller",
    "interruption", "agent_hung_up_first", "missing_opening", "missing_closing",
)  # fmt: skip
"""What the ground truth tells of; other warnings are not judged here."""


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance as the system wrote it; seconds on the audio clock."""

    role: str
    start: float
    end: float
    text: str
    final_at: float
    """When it was published."""


@dataclass(frozen=True, slots=True)
class Raised:
    """One alarm of the system; seconds on the audio clock."""

    kind: str
    start: float
    end: float
    raised_at: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the system said of one call."""

    call: str
    events: Sequence[Raised] = ()
    type: str | None = None
    types: Sequence[Mapping[str, Any]] = ()
    cards: Sequence[Mapping[str, Any]] = ()
    transcript: Sequence[Said] = ()


@dataclass(slots=True)
class Tally:
    """Counts and delays of one kind over all calls."""

    found: int = 0
    missed: int = 0
    false: int = 0
    near_miss_alarms: int = 0
    delays: list[float] = field(default_factory=list)
    """raised − due, seconds, of the events found."""
    after_utterance: list[float] = field(default_factory=list)
    """raised − end of the utterance it is about, seconds."""

    def figures(self) -> dict[str, float | None]:
        """As printed."""
        return {
            "found": self.found,
            "missed": self.missed,
            "false": self.false,
            "near_miss_alarms": self.near_miss_alarms,
            "latency_p50": quantile(self.delays, 0.5),
            "latency_p95": quantile(self.delays, 0.95),
            "latency_max": max(self.delays, default=None),
            "latency_from_utterance_end_p95": quantile(self.after_utterance, 0.95),
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """All calls judged."""

    metrics: Figures
    by_kind: Mapping[str, Figures]
    errors: Sequence[Mapping[str, object]]


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` of them lie (nearest rank); None of none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def judge(pairs: Sequence[tuple[Observed, Mapping[str, Any]]]) -> Judged:
    """Score calls against their ground truth (`samples/calls/README.md` has its form)."""
    tallies: dict[str, Tally] = {kind: Tally() for kind in KINDS}
    errors: list[Mapping[str, object]] = []
    right_types = labelled = edits = characters = 0
    finals = [u.final_at - u.end for seen, _ in pairs for u in seen.transcript]
    for seen, truth in pairs:
        errors += _judge_events(seen, truth, tallies)
        if truth.get("label"):
            labelled += 1
            right_types += seen.type == truth["label"]
            if seen.type != truth["label"]:
                errors.append({"id": seen.call, "kind": "type", "said": seen.type})
        for role in ("agent", "caller"):
            wanted = normalise("".join(u["text"] for u in truth["script"] if u["role"] == role))
            got = normalise("".join(u.text for u in seen.transcript if u.role == role))
            edits += Levenshtein.distance(wanted, got)
            characters += len(wanted)
    delays = [d for t in tallies.values() for d in t.delays]
    after = [d for t in tallies.values() for d in t.after_utterance]
    metrics: dict[str, float | None] = {
        "latency_p50": quantile(delays, 0.5),
        "latency_p95": quantile(delays, 0.95),
        "latency_max": max(delays, default=None),
        "latency_from_utterance_end_p95": quantile(after, 0.95),
        "near_miss_alarms": sum(t.near_miss_alarms for t in tallies.values()),
        "type_accuracy": ratio(right_types, labelled),
        "cer": ratio(edits, characters),
        "final_delay_p95": quantile(finals, 0.95),
    }
    return Judged(metrics, {k: t.figures() for k, t in tallies.items()}, errors)


def _judge_events(
    seen: Observed, truth: Mapping[str, Any], tallies: Mapping[str, Tally]
) -> list[Mapping[str, object]]:
    errors: list[Mapping[str, object]] = []
    open_alarms = list(seen.events)
    for event in truth["events"]:
        same = [
            alarm
            for alarm in open_alarms
            if alarm.kind == event["kind"]
            and overlap(alarm.start, alarm.end, event["start"], event["end"])
        ]
        for alarm in same:
            open_alarms.remove(alarm)
        if event.get("announced"):
            continue
        tally = tallies[event["kind"]]
        if not same:
            tally.missed += 1
            errors.append({"id": seen.call, "kind": event["kind"], "missed_at": event["start"]})
            continue
        first = min(same, key=lambda alarm: alarm.raised_at)
        tally.found += 1
        tally.delays.append(round(first.raised_at - event["due"], 2))
        end = _utterance_end(truth, event)
        if event["kind"] == "forbidden_phrase" and end is not None:
            tally.after_utterance.append(round(first.raised_at - end, 2))
    for alarm in open_alarms:
        tallies[alarm.kind].false += 1
        errors.append({"id": seen.call, "kind": alarm.kind, "false_at": alarm.start})
        for near in truth.get("near_misses", ()):
            if near["kind"] == alarm.kind and overlap(
                alarm.start, alarm.end, near["start"], near["end"]
            ):
                tallies[alarm.kind].near_miss_alarms += 1
                break
    return errors


def _utterance_end(truth: Mapping[str, Any], event: Mapping[str, Any]) -> float | None:
    """End of the scripted utterance that holds the event."""
    ends = [
        float(u["end"])
        for u in truth["script"]
        if u["role"] == event["role"] and u["start"] <= event["start"] + 0.05 <= u["end"]
    ]
    return max(ends, default=None)


def overlap(start: float, end: float, other_start: float, other_end: float) -> bool:
    """Whether two spans touch, give or take the tolerance."""
    return start <= other_end + TOLERANCE_S and other_start <= end + TOLERANCE_S


_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
_ALIKE = str.maketrans({"您": "你", "得": "的", "地": "的", "她": "他", "它": "他"})
_NOT_WORDS = re.compile(r"[^\w]|_")


def normalise(text: str) -> str:
    """Text for counting character errors: no punctuation, digits read out, 您=你, 得/地=的."""
    return _NOT_WORDS.sub("", text).translate(_DIGITS).translate(_ALIKE)
