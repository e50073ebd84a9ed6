"""What every message has: frozen models, identifiers, the event's place in its call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
"""What a `site` or a `call_id` may be: one token of a NATS subject."""

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Role = Literal["agent", "caller"]
"""Whose channel: roles are channels, never guessed from a voice."""
ROLES: tuple[Role, Role] = ("agent", "caller")

MAX_MS = 2**40
"""The latest moment a message may name: 34 years, which every clock and database can hold."""
Ms = Annotated[int, Field(ge=0, le=MAX_MS)]
"""Milliseconds on the call's audio clock; 0 is the moment the call was answered."""
AheadMs = Annotated[int, Field(ge=0, le=MAX_MS + 3_600_000)]
"""As `Ms`, for a moment still to come when it is named: up to an hour behind the latest."""
Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A share, probability or confidence from 0 to 1."""

UNSTAMPED = datetime(1970, 1, 1, tzinfo=UTC)
"""The wall time of an event that has not been published: pure code knows no clock."""
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Wall times lie before this, so that whoever reckons with them stays within the calendar."""


def _wall_time(time: datetime) -> datetime:
    """A wall time in UTC; one without a zone is taken as UTC."""
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    if not UNSTAMPED <= aware < LATEST:
        raise ValueError(f"must lie between the years {UNSTAMPED.year} and {LATEST.year}")
    return aware.astimezone(UTC)


WallTime = Annotated[datetime, AfterValidator(_wall_time)]
"""A moment of the world outside the call, UTC."""


class Contract(BaseModel):
    """Base of everything that crosses the bus: frozen; unknown fields are ignored when read,
    so that a later version may add some. What is wrong with a message is said without its values,
    which may be a caller's words."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", use_attribute_docstrings=True, hide_input_in_errors=True
    )


class Producer(Contract):
    """The rule or model that made a derived event."""

    name: str
    """Id of the rule, or name of the model."""
    version: str
    """Version of the rule file or of the model."""
    source: str = ""
    """Where the rule stands in the hotlines' own rules, for instance `A12`; empty for models."""


class Evidence(Contract):
    """Words or a span of time that speak for a derived event."""

    words: str = ""
    """The words as heard; empty where the evidence is time alone."""
    role: Role | None = None
    """Who said them; None where both or neither."""
    start_ms: Ms = 0
    """Start on the audio clock, ms."""
    end_ms: Ms = 0
    """End on the audio clock, ms."""
    score: float | None = None
    """How strongly it speaks, on the scale of the producer."""


class Event(Contract):
    """Something that happened in a call. Kept in the stream, in order."""

    event: ClassVar[str]
    """The event's name: the last tokens of its subject."""

    call_id: Id
    """The call; one token of the subject. Unique over all sites and never used again."""
    site: Id
    """The hotline site; one token of the subject."""
    at_ms: Ms
    """When, ms on the call's audio clock (0 = answered). For a span: its start."""
    wall_time: WallTime = UNSTAMPED
    """When it was published, UTC. The bus stamps it."""

    @property
    def key(self) -> str:
        """What sets this event apart from others of its name and time in the call."""
        return "-"

    @property
    def event_id(self) -> str:
        """Deterministic id `{call}:{rule}:{start_ms}:{event}`: sent twice, stored once."""
        return f"{self.call_id}:{self.key}:{self.at_ms}:{self.event}"


class Derived(Event):
    """An event that somebody concluded from others: it says from what and by which rule."""

    by: Producer
    """The rule or model that concluded it."""
    derived_from: tuple[str, ...] = ()
    """Ids of the events it was derived from."""
    evidence: tuple[Evidence, ...] = ()
    """The words, spans and scores that speak for it."""

    @property
    def key(self) -> str:
        """The rule: one conclusion a rule and moment."""
        return self.by.name
