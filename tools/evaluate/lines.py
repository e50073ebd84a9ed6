"""Calls and moments as they stand in labelled files: one JSON object a line, labels optional.

`banxi eval` reads them as they are; `tools.train.dialogues` demands the labels.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from contracts.base import Role
from contracts.call_type import CallType, Intake
from tools.evaluate.report import Line

NONE = "none"
"""What is expected of a moment that is no situation."""


class Turn(BaseModel):
    """Something said, or a silence on that side."""

    model_config = ConfigDict(frozen=True)

    role: Role
    text: str
    silence_s: float | None = None
    """Length of a silence; `text` is empty then."""


class Switch(BaseModel):
    """A change of type."""

    model_config = ConfigDict(frozen=True)

    turn: int
    """Index of the caller turn with which it changes, from 0."""
    label: CallType


class Call(Line):
    """A dialogue and, where it is labelled, what is right."""

    turns: tuple[Turn, ...]
    history: tuple[str, ...] = ()
    """Earlier calls of the same number, short texts."""
    label: CallType | None = None
    """The type at the end."""
    accept: tuple[CallType, ...] = ()
    """Others that count as right at the end."""
    start: CallType | None = None
    """The type after the first caller turn."""
    switch: tuple[Switch, ...] = ()
    intake: Intake | None = None
    intake_accept: tuple[Intake, ...] = ()


class Moment(Line):
    """The last turn is the moment, those before it lead there."""

    turns: tuple[Turn, ...]
    expect: str | None = None
    """Id of the situation, or none."""
    accept: tuple[str, ...] = ()
    """Others that count as right."""
