"""`phrases.yaml`: what must not be said, as data."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from services.common.datafiles import Entry
from services.common.written import read
from services.conduct.phrases.wording import parse
from services.conduct.rulefile import RuleFile

LONGEST_WRITTEN = 400
"""Characters of a wording with all its brackets; each more is laid along every utterance."""
MOST_WORDINGS = 5_000
"""Wordings of all rules together; ours are some hundreds."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


def _can_be_read(written: str) -> str:
    if len(written) > LONGEST_WRITTEN:
        raise ValueError(f"{written[:20]!r}… is written in more than {LONGEST_WRITTEN} characters")
    try:
        parse(written)
    except ValueError as error:
        raise ValueError(f"{written!r} {error}") from None
    return written


def _counts(word: str) -> str:
    # Compared as nothing, it would be found everywhere: nothing would be an offence any more.
    if not read(word).plain:
        raise ValueError("holds nothing that can be said")
    return word


Word = Annotated[Text, AfterValidator(_counts)]
"""A word that is looked for."""
Written = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_can_be_read)
]
"""A wording in the form that `wording.py` reads."""
Source = Literal["A12", "E-ban", "B-QA", "本站"]
"""Where a rule stands: the hotlines' three lists, or the site's own rules."""


class Rule(Entry):
    """One forbidden phrase, or one kind of them."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
    """Fixed name; events, scores and feedback refer to it."""
    canonical: Text
    """The phrase as the hotlines' list has it."""
    group: Literal[1, 2, 3]
    """Group of that list."""
    source: Source
    """Where it stands."""
    severity: Literal["low", "medium", "high"]
    """How grave; decides which card comes first."""
    instead: Text
    """What may be said instead."""
    wordings: Annotated[tuple[Written, ...], Field(min_length=1)]
    """How it is said (see `wording.py`)."""
    exceptions: tuple[Written, ...] = ()
    """Wordings that contain it and are right: required or polite ones."""
    not_before: tuple[Word, ...] = ()
    """Words that, standing shortly before it in the clause, make it harmless."""
    not_after: tuple[Word, ...] = ()
    """Words that, following it directly, make it another phrase."""
    excused_by: tuple[Word, ...] = ()
    """Words that, following it in the utterance, excuse it: a reason, who is responsible."""


class Quotations(Entry):
    """How an agent repeats what somebody said."""

    others: tuple[Word, ...]
    """Who is quoted: 窗口, 对方, 工作人员 …"""
    verbs: tuple[Word, ...]
    """Verbs of saying."""
    calls: tuple[Word, ...]
    """Other verbs that introduce somebody's words: 问, 让 …"""
    reports: tuple[Word, ...]
    """Verbs that only tell how somebody else spoke: 喊, 甩 …"""
    earlier: tuple[Word, ...]
    """Words that, with 您 and a verb, show that the caller is quoted: 刚才, 上次 …"""
    restating: tuple[Word, ...]
    """Words that show it with 您 alone: 是说, 的意思是 …"""
    checks: tuple[Word, ...]
    """Tags that ask whether it was repeated rightly: 对吗, 是吗 …"""
    titles: tuple[Word, ...]
    """What introduces somebody's words, without a verb: 原话是, 短信上写着 …"""
    remarks: tuple[Word, ...]
    """What speaks of the words right before it as somebody's: 这句话, 这种态度 …"""
    afterwards: tuple[Word, ...]
    """What shows, right after words that were introduced by a verb, that they were quoted:
    这句话, 就挂了 …"""


class PhraseFile(RuleFile):
    """The whole file."""

    fillers: tuple[Word, ...]
    """Words that count for nothing between the words of a phrase."""
    light: tuple[Word, ...]
    """Words that count for little."""
    quotations: Quotations
    """How quotations are known."""
    denials: tuple[Word, ...]
    """Words that, directly before a phrase, deny it."""
    unwilling: tuple[Word, ...]
    """Words that deny a phrase only where nothing stands between: 不会, 不能 …"""
    opinions: tuple[Word, ...]
    """Verbs that, denied, deny what follows: 认为, 觉得 …"""
    required: Annotated[tuple[Written, ...], Field(min_length=1)]
    """Required or polite wordings: what overlaps one of them is no offence."""
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    """The rules, graver ones of the same words first."""

    @model_validator(mode="after")
    def _ids_are_unique(self) -> PhraseFile:
        for name, count in Counter(rule.id for rule in self.rules).items():
            if count > 1:
                raise ValueError(f"rules {name}, id: stands there {count} times")
        return self

    @model_validator(mode="after")
    def _can_be_kept_up_with(self) -> PhraseFile:
        count = sum(len(rule.wordings) + len(rule.exceptions) for rule in self.rules)
        if count > MOST_WORDINGS:
            raise ValueError(f"rules: hold {count} wordings, {MOST_WORDINGS} are the most")
        return self
