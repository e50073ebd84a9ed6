"""The life of an entry: who may do what to it, and what counts on which day. Pure.

An entry is written again and again; each writing has a number, its revision. A draft changes
nothing. It counts once another person than its drafter has decided on it (four eyes), at once or
from a day on. Taking back is for one person, at once; what was taken back returns by a new draft
alone: no file brings it back.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from contracts.requests import Act, Standing
from services.knowledge.entries.entry import RESERVED, Entry

State = Literal["draft", "answer", "transfer", "refused", "discarded", "withdrawn"]
"""What became of a writing. `answer` and `transfer` were decided; `withdrawn` marks that nothing
counts from then on."""
Decision = Literal["answer", "transfer", "refused"]
Reason = Literal[
    "nobody",
    "stale",
    "no_draft",
    "own_draft",
    "not_own",
    "no_answer",
    "confidential",
    "past",
    "never_valid",
    "backwards",
    "nothing_decided",
    "already",
    "unnamed",
    "own_import",
    "reserved",
    "withdrawn",
]


@dataclass(frozen=True, slots=True)
class Writing:
    """One writing of an entry."""

    entry: Entry
    """What it says; `authorised` only once that was decided, `takes_effect` once it is known."""
    state: State
    """What became of it."""
    drafted_by: str
    """Who wrote it."""
    decided_by: str | None = None
    """Who decided; None where nobody did, or where it was not recorded."""
    based_on: int | None = None
    """The revision it was written over; None = there was nothing."""

    @property
    def revision(self) -> int:
        """Its number."""
        return self.entry.revision


@dataclass(frozen=True, slots=True)
class Life:
    """An entry as it stands: what counts, what will, and what awaits a decision."""

    newest: int = 0
    """Its newest revision; 0 = never written."""
    current: Writing | None = None
    """What was decided and counts until `following` does."""
    following: Writing | None = None
    """What was decided and counts from its `takes_effect` on."""
    draft: Writing | None = None
    """What awaits a decision; always the newest revision."""
    withdrawn: bool = False
    """Whether it was taken back, and what was decided since then does not count yet."""

    @property
    def open(self) -> tuple[Writing, ...]:
        """The writings that matter still."""
        return tuple(w for w in (self.current, self.following, self.draft) if w is not None)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What counts or will count, as values of which at most one is valid on any day."""
        values: list[Entry] = []
        if self.current is not None:
            until = self.following.entry.takes_effect if self.following else None
            values.append(replace(self.current.entry, superseded=until))
        if self.following is not None:
            values.append(self.following.entry)
        return tuple(values)

    def on(self, today: date) -> Life:
        """The same, once what was scheduled for a day up to today has become the current one."""
        if self.following is None or (self.following.entry.takes_effect or today) > today:
            return self
        return replace(self, current=self.following, following=None, withdrawn=False)

    def standing(self, today: date) -> Standing:
        """How it stands on a day."""
        life = self.on(today)
        if life.current is None:
            if life.following is not None:
                return "scheduled"
            return "withdrawn" if life.withdrawn else "draft"
        entry = life.current.entry
        if entry.valid_to is not None and entry.valid_to < today:
            return "scheduled" if life.following is not None else "expired"
        if entry.valid_from is not None and entry.valid_from > today:
            return "scheduled"
        return "answer" if entry.answerable else "transfer"


@dataclass(frozen=True, slots=True)
class Done:
    """What an act made of an entry."""

    life: Life
    """The entry now."""
    act: Act
    """What was done."""
    by: str
    """Who did it."""
    concerns: Writing
    """The writing it concerns, as it is now."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An act that is not allowed; nothing changes."""

    reason: Reason
    """Why; `refusals.SAID` has it in words."""


def folded(name: str) -> str:
    """A name as it is compared: who writes his own differently is still the same person."""
    plain = unicodedata.normalize("NFKC", name)
    seen = _UNSEEN.sub("", "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Cc")))
    return "".join(seen.split()).casefold()


_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
"""What is seen as little as a space, but is a letter or a mark: fillers, variation selectors."""


def draft(life: Life, entry: Entry, *, seen: int, by: str) -> Done | Refused:
    """Write what an entry is to become. A draft that waits already is put away for it."""
    if refused := _checked(life, seen, by):
        return refused
    if entry.valid_from and entry.valid_to and entry.valid_to < entry.valid_from:
        return Refused("backwards")
    over = life.draft or life.following or life.current
    written = Writing(
        _unauthorised(replace(entry, revision=life.newest + 1)),
        "draft",
        drafted_by=by.strip(),
        based_on=over.revision if over else life.newest or None,
    )
    return Done(replace(life, newest=written.revision, draft=written), "drafted", by, written)


def decide(
    life: Life,
    decision: Decision,
    *,
    seen: int,
    by: str,
    today: date,
    from_day: date | None = None,
) -> Done | Refused:
    """Decide on the draft. `from_day`: first day it counts; None = at once."""
    if life.draft is None:
        return Refused("no_draft")
    if refused := _checked(life, seen, by):
        return refused
    waiting = life.draft
    if folded(by) == folded(waiting.drafted_by):
        return Refused("own_draft")
    if decision == "refused":
        written = replace(waiting, state="refused", decided_by=by.strip())
        return Done(replace(life, draft=None), "refused", by, written)
    entry = waiting.entry
    begins = from_day or today
    if begins < today:
        return Refused("past")
    if entry.valid_to is not None and entry.valid_to < begins:
        return Refused("never_valid")
    if decision == "answer":
        if not entry.answer:
            return Refused("no_answer")
        if entry.confidential:
            return Refused("confidential")
        entry = replace(entry, authorised=True, authorised_by=by.strip(), authorised_at=today)
    later = begins > today
    entry = replace(entry, takes_effect=begins if later else None)
    written = replace(waiting, entry=entry, state=decision, decided_by=by.strip())
    life = replace(life.on(today), draft=None)
    life = (
        replace(life, following=written)
        if later
        else replace(life, current=written, withdrawn=False)
    )
    return Done(life, "authorised" if decision == "answer" else "referred", by, written)


def discard(life: Life, *, seen: int, by: str) -> Done | Refused:
    """Put an own draft away."""
    if life.draft is None:
        return Refused("no_draft")
    if refused := _checked(life, seen, by):
        return refused
    if folded(by) != folded(life.draft.drafted_by):
        return Refused("not_own")
    written = replace(life.draft, state="discarded")
    return Done(replace(life, draft=None), "discarded", by, written)


def withdraw(
    life: Life, becomes: Literal["transfer", "absent"], *, by: str, today: date
) -> Done | Refused:
    """Take back all that counts or will count. A draft that waits is put away, too: what comes
    back was written after this."""
    if not folded(by):
        return Refused("nobody")
    life = life.on(today)
    base = life.current or life.following
    if base is None:
        return Refused("already" if life.withdrawn else "nothing_decided")
    absent = becomes == "absent"
    if not absent and life.following is None and not base.entry.answerable:
        return Refused("already")
    entry = replace(base.entry, revision=life.newest + 1, takes_effect=None)
    written = Writing(
        _unauthorised(entry),
        "withdrawn" if absent else "transfer",
        drafted_by=by.strip(),
        decided_by=by.strip(),
        based_on=base.revision,
    )
    now = Life(written.revision, current=None if absent else written, withdrawn=True)
    return Done(now, "withdrawn", by, written)


def take_in(
    life: Life, entry: Entry, *, by: str, today: date, unnamed: bool = False
) -> Done | Refused | None:
    """Take an entry from a file, decided as the file says; None where it says what counts already.
    An authorised one names who authorised it, another than `by`. What is scheduled stays, a draft
    that waits is put away, what was taken back stays so. `unnamed`: that nobody is named is taken
    for not recorded; only for the base a new site begins with."""
    life = life.on(today)
    if life.current is not None and life.current.entry.says(entry):
        return None
    if not folded(by):
        return Refused("nobody")
    if entry.id.startswith(RESERVED):
        return Refused("reserved")
    if life.withdrawn and (entry.authorised or life.current is None):
        return Refused("withdrawn")
    if entry.authorised:
        if entry.confidential:
            return Refused("confidential")
        if not entry.answer:
            return Refused("no_answer")
        if not folded(entry.authorised_by or ""):
            if not unnamed:
                return Refused("unnamed")
        elif folded(entry.authorised_by or "") == folded(by):
            return Refused("own_import")
    if entry.valid_from and entry.valid_to and entry.valid_to < entry.valid_from:
        return Refused("backwards")
    written = Writing(
        replace(entry, revision=life.newest + 1, takes_effect=None, superseded=None, sort="entry"),
        "answer" if entry.authorised else "transfer",
        drafted_by=by.strip(),
        decided_by=entry.authorised_by if entry.authorised else by.strip(),
        based_on=life.current.revision if life.current else life.newest or None,
    )
    now = replace(life, newest=written.revision, current=written, draft=None)
    return Done(now, "imported", by, written)


def _checked(life: Life, seen: int, by: str) -> Refused | None:
    if not folded(by):
        return Refused("nobody")
    return Refused("stale") if seen != life.newest else None


def _unauthorised(entry: Entry) -> Entry:
    return replace(entry, authorised=False, authorised_by=None, authorised_at=None, superseded=None)
