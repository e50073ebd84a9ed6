"""Requests on the bus and their replies: imperative, typed, errors included."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from contracts.base import Contract, Evidence, Id, Ms


class Problem(Contract):
    """Why a request could not be done."""

    code: str
    """Machine-readable: `invalid`, `not_found`, `conflict`, `unavailable`, `internal`."""
    message: str
    """One sentence for people, saying what to do."""
    field: str | None = None
    """The field that is wrong, where it is one."""


class Failure(Contract):
    """The reply to a request that could not be done: the only reply that has `error`."""

    error: Problem
    """What went wrong."""


class Reply(Contract):
    """Base of every successful reply."""


class Request(Contract):
    """Base of every request; `banxi.v1.{site}.cmd.{service}.{verb}`."""

    service: ClassVar[str]
    """The service that answers."""
    verb: ClassVar[str]
    """What is asked of it, imperative."""
    reply: ClassVar[type[Reply]]
    """The model of a successful reply."""


class Model(Contract):
    """A model a service runs."""

    name: str
    """Its name."""
    version: str
    """Its version."""
    licence: str = ""
    """Its licence."""


class Description(Reply):
    """What a service says of itself."""

    service: str
    """Its name."""
    version: str
    """The version of Banxi it runs."""
    pid: int
    """Its process id."""
    ready: bool
    """Whether it can do its work now."""
    detail: str = ""
    """What is missing, where it is not ready; else a short remark."""
    uptime_s: float
    """Seconds since it started."""
    rss_mb: float
    """Resident memory, MiB."""
    models: tuple[Model, ...] = ()
    """Models it has loaded."""
    figures: dict[str, float] = Field(default_factory=dict)
    """Current figures: calls live, queue depth, dead letters …"""


class Describe(Request):
    """Ask a service what it is and how it is. Every service answers under its own name."""

    service: ClassVar[str] = "{service}"
    verb: ClassVar[str] = "describe"
    reply: ClassVar[type[Reply]] = Description


class Embedding(Reply):
    """Vectors for the texts asked about, in order."""

    model: str
    """Name and version of the model: vectors of different models must not be mixed."""
    dimension: int
    """Length of each vector."""
    vectors: tuple[tuple[float, ...], ...]
    """One unit-length vector a text."""


class Embed(Request):
    """Turn texts into vectors."""

    service: ClassVar[str] = "embedding"
    verb: ClassVar[str] = "embed"
    reply: ClassVar[type[Reply]] = Embedding

    texts: Annotated[tuple[Annotated[str, Field(max_length=2000)], ...], Field(max_length=64)]
    """At most 64 texts of at most 2,000 characters."""
    purpose: Annotated[str, Field(pattern="^(query|passage)$")] = "query"
    """`query` for what is said or asked, `passage` for what is kept in a base."""


class KnowledgeHit(Contract):
    """One entry found. `answer` is None unless it may be given today in that region."""

    entry_id: str
    """The entry's id."""
    kind: Annotated[str, Field(pattern="^(answer|transfer)$")]
    """Whether it may be answered or must be transferred."""
    score: float
    """How well it matches, 0–1."""
    question: str
    """The entry's question."""
    answer: str | None = None
    """The answer; None for a transfer."""
    source: dict[str, Any] = Field(default_factory=dict)
    """The fields of `contracts.card.Source`."""


class KnowledgeFound(Reply):
    """What the base holds for a question, best first; empty where nothing fits."""

    hits: tuple[KnowledgeHit, ...] = ()
    """At most `limit` entries."""


class SearchKnowledge(Request):
    """Search the knowledge base as an agent does with `/`."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "search"
    reply: ClassVar[type[Reply]] = KnowledgeFound

    text: Annotated[str, Field(min_length=1, max_length=200)]
    """What to look for."""
    region: str | None = None
    """Region of the call; None = the site's."""
    limit: Annotated[int, Field(ge=1, le=20)] = 5
    """How many at most."""


class RowProblem(Contract):
    """A row of an import that was not taken."""

    line: int
    """Line in the file, counted from 1 (the header is line 1)."""
    field: str
    """The column that is wrong; empty where it is the whole row."""
    message: str
    """What is wrong with it."""


class KnowledgeImported(Reply):
    """What an import did."""

    added: int
    """Entries that are new."""
    changed: int
    """Entries that were there and differ now."""
    unchanged: int
    """Entries that were there and are the same."""
    problems: tuple[RowProblem, ...] = ()
    """Rows that were not taken."""


class ImportKnowledge(Request):
    """Import rows of a table into the base. Bad rows are named, good rows kept."""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "import"
    reply: ClassVar[type[Reply]] = KnowledgeImported

    rows: tuple[dict[str, str], ...]
    """Rows as column → text, as in the file; at most 500 a request."""
    first_line: int = 2
    """Line of the first row in the file, for naming bad rows."""
    imported_by: str
    """Who imports."""
    authorised_by: str | None = None
    """Who authorised the rows marked authorised that name nobody; another than the importer."""


class PastCall(Contract):
    """One earlier call of a number."""

    call_id: Id
    """The call."""
    started_at: str
    """When it was answered, ISO 8601 UTC."""
    call_type: str | None = None
    """Its last type."""
    matter: str = ""
    """What it was about: the caller's first telling words, shortened."""


class History(Reply):
    """What is known of a number, newest first."""

    calls: tuple[PastCall, ...] = ()
    """Earlier calls."""


class AskHistory(Request):
    """What do we know of this number?"""

    service: ClassVar[str] = "records"
    verb: ClassVar[str] = "history"
    reply: ClassVar[type[Reply]] = History

    caller_number: Annotated[str, Field(min_length=1, max_length=32)]
    """The calling number as the exchange delivers it."""
    within_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """How far back, days."""
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    """How many at most."""


class KeptEvent(Contract):
    """One event as kept."""

    event_id: str
    """Its deterministic id."""
    event: str
    """Its name."""
    at_ms: int
    """When, ms on the audio clock."""
    payload: dict[str, Any]
    """The event's own JSON."""


class KeptCall(Reply):
    """A call as kept: its events in order."""

    call_id: Id
    """The call."""
    ended: bool
    """Whether it is over."""
    events: tuple[KeptEvent, ...]
    """In the order of the stream."""
    more: bool = False
    """True where later events did not fit: ask again with `skip`."""


class AskCall(Request):
    """Give me this call."""

    service: ClassVar[str] = "records"
    verb: ClassVar[str] = "call"
    reply: ClassVar[type[Reply]] = KeptCall

    call_id: Id
    """The call."""
    skip: Annotated[int, Field(ge=0)] = 0
    """How many events to leave out from the beginning: those already had."""


class EscalationHandled(Reply):
    """The state of an escalation after a command."""

    escalation_id: str
    """The escalation."""
    state: str
    """`acknowledged`, `taken_over` or `closed`."""


class _OnEscalation(Request):
    service: ClassVar[str] = "escalation"
    reply: ClassVar[type[Reply]] = EscalationHandled

    call_id: Id
    """The call."""
    escalation_id: str
    """The escalation."""
    supervisor: Id
    """Account of the supervisor who acts."""


class AcknowledgeEscalation(_OnEscalation):
    """A supervisor has seen it."""

    verb: ClassVar[str] = "acknowledge"


class TakeOverEscalation(_OnEscalation):
    """A supervisor takes it over."""

    verb: ClassVar[str] = "take_over"


class CloseEscalation(_OnEscalation):
    """A supervisor closes it as real or false."""

    verb: ClassVar[str] = "close"

    verdict: Annotated[str, Field(pattern="^(real|false)$")]
    """Whether it was rightly raised."""


class Deduction(Contract):
    """Points taken off in a call."""

    deduction_id: str
    """Its id in the call; appeals name it."""
    item: str
    """Id of the item of the score table."""
    name: str
    """The item's Chinese name."""
    points: int
    """How many, positive."""
    reason: str
    """What for, in words for the agent."""
    at_ms: Ms
    """When, ms on the audio clock."""
    evidence: tuple[Evidence, ...] = ()
    """The words and spans that speak for it."""
    state: Literal["stands", "appealed", "confirmed", "returned"]
    """`confirmed` = an appeal was refused; `returned` = the points were given back."""


class Unjudged(Contract):
    """An item of the score table that a machine cannot hear."""

    item: str
    """Its id."""
    name: str
    """Its Chinese name."""
    points: int
    """What it may cost, positive."""
    why: str
    """Why it is left to the inspector."""


class ScoreSheet(Reply):
    """A call's score with everything it rests on."""

    call_id: Id
    """The call."""
    score: Annotated[int, Field(ge=0, le=100)]
    """The score now."""
    deductions: tuple[Deduction, ...]
    """Every deduction, in the order of the call; those given back too."""
    unjudged: tuple[Unjudged, ...]
    """What is left to the inspector."""
    rules: str
    """Version of the score table."""


class AskScore(Request):
    """What is this call's score, and why?"""

    service: ClassVar[str] = "conduct"
    verb: ClassVar[str] = "score"
    reply: ClassVar[type[Reply]] = ScoreSheet

    call_id: Id
    """The call."""


class RulesReloaded(Reply):
    """The rules that hold from now on."""

    rules: tuple[Model, ...]
    """Each rule file with its version."""
    changed: bool
    """Whether any of them differs from what held before."""


class ReloadRules(Request):
    """Read the rule files again. Where one of them is wrong, the old rules go on and the failure
    names file, line and field."""

    service: ClassVar[str] = "conduct"
    verb: ClassVar[str] = "reload"
    reply: ClassVar[type[Reply]] = RulesReloaded


class RuleFeedback(Contract):
    """What agents thought of one rule's cards and warnings."""

    rule: str
    """The rule, model or entry."""
    useful: int
    """How often it was found useful."""
    wrong: int
    """How often it was reported as false."""
    dismissed: int
    """How often it was put away without a word."""


class FeedbackCounted(Reply):
    """Feedback by rule, the one most often wrong first."""

    rules: tuple[RuleFeedback, ...]
    """Rules that had any."""


class CountFeedback(Request):
    """How often was each rule wrong?"""

    service: ClassVar[str] = "records"
    verb: ClassVar[str] = "feedback"
    reply: ClassVar[type[Reply]] = FeedbackCounted

    within_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """How far back, days."""


REQUESTS: tuple[type[Request], ...] = (
    Describe,
    Embed,
    SearchKnowledge,
    ImportKnowledge,
    AskHistory,
    AskCall,
    AcknowledgeEscalation,
    TakeOverEscalation,
    CloseEscalation,
    AskScore,
    ReloadRules,
    CountFeedback,
)
"""Every request of the bus."""
