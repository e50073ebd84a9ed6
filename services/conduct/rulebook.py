"""`phrases.yaml`: what must not be said, as data."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from services.common.datafiles import Entry
from services.conduct.wording import parse

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _can_be_read(written: str) -> str:
    try:
        parse(written)
    except ValueError as error:
        raise ValueError(f"{written!r} {error}") from None
    return written


Written = Annotated[Text, AfterValidator(_can_be_read)]
"""A wording in the form that `wording.py` reads."""
Source = Literal["A12", "E-ban", "B-QA"]


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
    not_before: tuple[Text, ...] = ()
    """Words that, standing shortly before it in the clause, make it harmless."""
    not_after: tuple[Text, ...] = ()
    """Words that, following it directly, make it another phrase."""
    excused_by: tuple[Text, ...] = ()
    """Words that, following it in the utterance, excuse it: a reason, who is responsible."""


class Quotations(Entry):
    """How an agent repeats what somebody said."""

    others: tuple[Text, ...]
    """Who is quoted: 窗口, 对方, 工作人员 …"""
    verbs: tuple[Text, ...]
    """Verbs of saying."""
    earlier: tuple[Text, ...]
    """Words that, with 您 and a verb, show that the caller is quoted: 刚才, 上次 …"""
    restating: tuple[Text, ...]
    """Words that show it with 您 alone: 是说, 的意思是 …"""
    checks: tuple[Text, ...]
    """Tags that ask whether it was repeated rightly: 对吗, 是吗 …"""


class PhraseFile(Entry):
    """The whole file."""

    version: Text
    """Version of the rules; every warning names it."""
    fillers: tuple[Text, ...]
    """Words that count for nothing between the words of a phrase."""
    light: tuple[Text, ...]
    """Words that count for little."""
    quotations: Quotations
    """How quotations are known."""
    denials: tuple[Text, ...]
    """Words that, directly before a phrase, deny it."""
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
