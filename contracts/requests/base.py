"""What every request and reply has, and what every service answers."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.base import Contract

Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A number of things, as every database can hold it."""


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
    instance: str = ""
    """Where this process runs: the machine's name, in a cluster the pod's. Every replica answers
    for itself."""
    pid: int
    """Its process id."""
    ready: bool
    """Whether it serves what it safely can. It may lack something and serve the rest."""
    detail: str = ""
    """What is missing, in words, also where it is ready; or a short remark."""
    uptime_s: float
    """Seconds since it started."""
    rss_mb: float
    """Resident memory, MiB."""
    models: tuple[Model, ...] = ()
    """Models it has loaded."""
    partitions: tuple[int, ...] = ()
    """Partitions of the kept stream that this process follows now; those of other replicas and
    quiet ones are not among them."""
    figures: dict[str, float] = Field(default_factory=dict)
    """Current figures: calls live, queue depth, dead letters …"""


class Describe(Request):
    """Ask a service what it is and how it is. Every service answers under its own name."""

    service: ClassVar[str] = "{service}"
    verb: ClassVar[str] = "describe"
    reply: ClassVar[type[Reply]] = Description
