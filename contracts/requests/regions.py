"""The site's table of regions."""

from __future__ import annotations

from typing import ClassVar

from contracts.base import Contract
from contracts.requests.base import Reply, Request


class Region(Contract):
    """A province, city or county."""

    name: str
    """Its name, as entries and offices give it."""
    parent: str | None = None
    """The region it lies in; None for the topmost."""


class RegionsListed(Reply):
    """All regions, in the order of the table."""

    regions: tuple[Region, ...]
    """All of them."""
    home: str
    """The site's own region."""


class ListRegions(Request):
    """Which regions are there?"""

    service: ClassVar[str] = "knowledge"
    verb: ClassVar[str] = "regions"
    reply: ClassVar[type[Reply]] = RegionsListed
