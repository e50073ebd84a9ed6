"""Labelled calls and moments to learn from: one JSON object a line, one file an author, formats as
for `banxi eval call-type` and `banxi eval situations`.

    calls = read_calls(folder)                      # every calls*.jsonl, or a list of files
    moments = read_moments(folder, situations)      # every moments*.jsonl
    version = digest(calls)

Here every label must be there. Every line of every file is looked at before anything is given out:
the first mistake is a DataFileError that names file, line and field and says what is allowed. It
never repeats what callers said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from contracts.call_type import CallType, Intake
from services.common.datafiles import DataFileError
from tools.evaluate.lines import NONE, Call, Moment, Turn

CALLS = "calls"
MOMENTS = "moments"
"""What the files' names begin with; what follows is the author."""
LONGEST = 600
"""Characters of a turn, or of an earlier call: nobody says more in one breath."""

Source = Path | Sequence[Path]


class LabelledCall(Call):
    """A call with all labels."""

    label: CallType
    start: CallType
    intake: Intake
    author: str = ""
    """Who wrote it, by the file's name: `calls-author-01.jsonl` is by `author-01`."""

    @property
    def labels_after(self) -> tuple[CallType, ...]:
        """The type after each caller turn."""
        changes = {switch.turn: switch.label for switch in self.switch}
        now, after = self.start, []
        for at, turn in enumerate(self.turns):
            if turn.role == "caller":
                now = changes.get(at, now)
                after.append(now)
        return tuple(after)


class LabelledMoment(Moment):
    """A moment with its label."""

    expect: str
    author: str = ""
    """As of a call."""


L = TypeVar("L", LabelledCall, LabelledMoment)


def read_calls(source: Source) -> list[LabelledCall]:
    """All calls of a folder or of a list of files, by file and line. Raises DataFileError."""
    return list(_read(source, CALLS, LabelledCall, _call_mistakes))


def read_moments(source: Source, situations: AbstractSet[str] | None) -> list[LabelledMoment]:
    """All moments of a folder or of a list of files; `situations` are the ids there are, without
    none; None = any. Raises DataFileError."""
    return list(_read(source, MOMENTS, LabelledMoment, lambda m: _moment_mistakes(m, situations)))


def digest(lines: Iterable[LabelledCall | LabelledMoment]) -> str:
    """Eight hexadecimal digits that tell what a head was learned from: words, labels, authors."""
    content = hashlib.sha256()
    for line in lines:
        content.update(line.model_dump_json(exclude={"id", "cat"}).encode() + b"\n")
    return content.hexdigest()[:8]


def _read(
    source: Source, kind: str, model: type[L], mistakes: Callable[[L], Iterator[str]]
) -> list[L]:
    files = sorted(source.glob(f"{kind}*.jsonl")) if isinstance(source, Path) else source
    found = [line for file in files for line in _file(file, kind, model, mistakes)]
    if not found:
        where = source if isinstance(source, Path) else ", ".join(map(str, source))
        raise DataFileError(f"{where}: holds no labelled {kind} ({kind}*.jsonl)")
    return found


def _file(
    file: Path, kind: str, model: type[L], mistakes: Callable[[L], Iterator[str]]
) -> Iterator[L]:
    author = file.stem.removeprefix(kind).lstrip("-_") or file.stem
    first: dict[str, int] = {}
    # Not splitlines(): U+2028 and its kin may stand inside a JSON string.
    for number, raw in enumerate(_text(file).split("\n"), start=1):
        if not raw.strip():
            continue
        where = f"{file}, line {number}"
        try:
            line = model.model_validate_json(raw)
        except ValidationError as error:
            raise DataFileError(f"{where}{_first(error)}") from None
        if line.id in first:
            raise DataFileError(f"{where}, id: stands on line {first[line.id]} already")
        for mistake in mistakes(line):
            raise DataFileError(f"{where}, {mistake}")
        first[line.id] = number
        yield line.model_copy(update={"author": author})


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataFileError(f"{file}: is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise DataFileError(f"{file}: cannot be read ({error.strerror})") from None


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, with its field, without the value it holds."""
    item = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(step) for step in item["loc"])
    message = item["msg"].replace(" at line 1 column", " at column")
    return f", {field}: {message}" if field else f": {message}"


def _call_mistakes(call: LabelledCall) -> Iterator[str]:
    yield from _line_mistakes(call)
    callers = [at for at, turn in enumerate(call.turns) if turn.role == "caller"]
    if not callers:
        yield "turns: has no turn of the caller"
        return
    for at, turn in enumerate(call.turns):
        if not turn.text.strip():
            yield f"turns.{at}.text: is empty"
    for at, text in enumerate(call.history):
        yield from _length_mistakes(f"history.{at}", text)
    before, last = call.start, callers[0]
    for at, switch in enumerate(call.switch):
        if switch.turn not in callers:
            turns = ", ".join(map(str, callers))
            yield f"switch.{at}.turn: is no turn of the caller; counted from 0 they are {turns}"
        if switch.turn <= last:
            yield f"switch.{at}.turn: must come after turn {last}"
        if switch.label == before:
            yield f"switch.{at}.label: the type is {before} before it already"
        before, last = switch.label, switch.turn
    if before != call.label:
        field = "switch" if call.switch else "start"
        yield f"{field}: leaves the type at {before}, but the label is {call.label}"


def _moment_mistakes(moment: LabelledMoment, situations: AbstractSet[str] | None) -> Iterator[str]:
    yield from _line_mistakes(moment)
    for at, turn in enumerate(moment.turns):
        yield from _silence_mistakes(f"turns.{at}", turn)
    if situations is None:
        return
    allowed = (*sorted(situations), NONE)
    named = [("expect", moment.expect)]
    named += [(f"accept.{at}", situation) for at, situation in enumerate(moment.accept)]
    for field, situation in named:
        if situation not in allowed:
            yield f"{field}: is no situation; there are {', '.join(allowed)}"


def _line_mistakes(line: LabelledCall | LabelledMoment) -> Iterator[str]:
    if not line.id.strip():
        yield "id: is empty"
    if not line.turns:
        yield "turns: is empty"
    for at, turn in enumerate(line.turns):
        yield from _length_mistakes(f"turns.{at}.text", turn.text)


def _silence_mistakes(field: str, turn: Turn) -> Iterator[str]:
    if not turn.text.strip() and turn.silence_s is None:
        yield f"{field}.text: is empty; a silence has silence_s, its length in seconds"
    if turn.silence_s is not None and not 0 < turn.silence_s <= LONGEST:
        yield f"{field}.silence_s: is not between 0 and {LONGEST} seconds"


def _length_mistakes(field: str, text: str) -> Iterator[str]:
    if len(text) > LONGEST:
        yield f"{field}: has {len(text)} characters, not at most {LONGEST}"
