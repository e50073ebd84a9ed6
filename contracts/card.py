"""Suggestion cards: what the agent may do, why, and on whose authority."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from contracts.base import AheadMs, Contract, Derived, Share

Slot = Literal["wrong", "answer", "moment"]
"""`wrong` = just said wrong · `answer` = what to answer · `moment` = what this moment needs."""
CardKind = Literal["better_wording", "answer", "transfer", "announced", "advice", "wording"]
"""`announced` = an agreed wording (统一口径) on what the caller brought up."""


class Source(Contract):
    """Where an answer comes from. What is not recorded is None (shown 未记录), never invented."""

    entry_id: str
    """Id of the knowledge entry."""
    question: str
    """The entry's question."""
    department: str
    """The department that answers for it."""
    region: str
    """The region the entry applies to, with all below it."""
    authorised: bool
    """Whether the answer may be given by an agent."""
    authorised_by: str | None = None
    """Who authorised it."""
    authorised_at: date | None = None
    """When it was authorised."""
    document: str | None = None
    """The document it rests on."""
    valid_from: date | None = None
    """First day it is valid."""
    valid_to: date | None = None
    """Last day it is valid."""
    version: str | None = None
    """The entry's version."""
    liaison: str | None = None
    """联络员 of the department; for a transfer."""
    phone: str | None = None
    """Telephone of the department or liaison; for a transfer."""


class Span(Contract):
    """A part of a card's body."""

    start: int
    """First character, from 0."""
    end: int
    """The one after the last."""


class Aloud(Contract):
    """A piece of an answer that is read aloud by itself."""

    kind: Literal["step", "phone", "address", "hours", "papers"]
    """What it is."""
    text: str
    """The piece, as it stands in the body."""


class Alternative(Contract):
    """Another entry that might have been meant."""

    entry_id: str
    """Its id."""
    question: str
    """Its question."""


class CardShown(Derived):
    """A card asks for the agent's attention. The desk alone decides what stands on the page.

    A `transfer` card never holds the entry's answer: `body` is the wording that asks for consent.
    """

    event: ClassVar[str] = "card.shown"

    card_id: str
    """Id of the card in its call; `card.withdrawn` and feedback name it."""
    slot: Slot
    """Which of the three places of the page it is for."""
    kind: CardKind
    """What the card is."""
    title: str
    """What it is about, one line."""
    body: str
    """What may be read aloud."""
    avoid: str = ""
    """What to avoid, where there is something."""
    asked: tuple[Span, ...] = ()
    """The parts of `body` that answer what was asked, in order."""
    aloud: tuple[Aloud, ...] = ()
    """Steps, telephone numbers and the like, set apart for reading aloud."""
    note: str = ""
    """What to mind: another region's rule differs, the answer ends soon …"""
    why: str
    """Why it is there, in words for the agent."""
    priority: int = 50
    """0–100; the higher one wins its slot."""
    expires_ms: AheadMs | None = None
    """Audio time at which it leaves by itself; None = stays until replaced."""
    confidence: Share | None = None
    """How sure, where it was a judgement."""
    source: Source | None = None
    """The knowledge entry behind it; None for wording cards."""
    alternatives: tuple[Alternative, ...] = ()
    """At most two others that might have been meant."""

    @property
    def key(self) -> str:
        """The card."""
        return self.card_id


class CardWithdrawn(Derived):
    """A card no longer holds."""

    event: ClassVar[str] = "card.withdrawn"

    card_id: str
    """The card."""
    reason: str
    """Why, in words for the agent."""

    @property
    def key(self) -> str:
        """The card."""
        return self.card_id
