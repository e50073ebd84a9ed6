"""What a page may ask of the desk: the messages it sends up its socket."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter

from contracts.base import Id, WallTime
from contracts.score import DeductionId

Text = Annotated[str, Field(max_length=200)]
Remark = Annotated[str, Field(max_length=500)]


class Hello(BaseModel):
    """First message of a page: the last number it has, and of which run of the desk."""

    type: Literal["hello"]
    epoch: Annotated[str, Field(max_length=64)] = ""
    last: Annotated[int, Field(ge=0)] = 0


class Feedback(BaseModel):
    """What an agent thinks of a card or warning."""

    type: Literal["feedback"]
    id: int
    call: Id
    target: Literal["card", "warning"]
    target_id: Text
    verdict: Literal["useful", "wrong", "outdated", "dismissed"]


class Handle(BaseModel):
    """What a supervisor does with an escalation."""

    type: Literal["escalation"]
    id: int
    call: Id
    escalation: Text
    act: Literal["acknowledge", "take_over", "real", "false"]


class Search(BaseModel):
    """Words to look for in the knowledge base."""

    type: Literal["search"]
    id: int
    text: Annotated[str, Field(min_length=1, max_length=200)]
    call: Id | None = None


class Missing(BaseModel):
    """The agent says: this was asked, and the knowledge base has nothing on it."""

    type: Literal["missing"]
    id: int
    call: Id
    words: Annotated[str, Field(min_length=2, max_length=500)]
    note: Remark = ""


class Sheet(BaseModel):
    """The agent wants to know what the machine does not judge in a call."""

    type: Literal["sheet"]
    id: int
    call: Id


class Details(BaseModel):
    """The agent opens an own ended call of the shift."""

    type: Literal["details"]
    id: int
    call: Id


class Appeal(BaseModel):
    """An agent holds that a deduction is wrong."""

    type: Literal["appeal"]
    id: int
    call: Id
    deduction: DeductionId
    reason: Remark = ""


class Decide(BaseModel):
    """A supervisor decides an appeal."""

    type: Literal["decide"]
    id: int
    call: Id
    deduction: DeductionId
    accepted: bool
    remark: Remark = ""


class Announce(BaseModel):
    """A supervisor publishes an agreed wording."""

    type: Literal["announce"]
    id: int
    title: Annotated[str, Field(min_length=1, max_length=60)]
    body: Annotated[str, Field(min_length=1, max_length=1000)]
    topics: Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(max_length=20)] = ()
    region: Annotated[str | None, Field(max_length=100)] = None
    until: WallTime | None = None


class Unannounce(BaseModel):
    """A supervisor takes a wording back."""

    type: Literal["unannounce"]
    id: int
    wording: Id


class Seen(BaseModel):
    """An agent has read a wording."""

    type: Literal["seen"]
    id: int
    wording: Id


WordingCommand = Announce | Unannounce | Seen
Command = Feedback | Handle | Search | Missing | Sheet | Details | Appeal | Decide | WordingCommand
COMMANDS: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="type")])
