"""Settings of the knowledge service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from services.common.failure import CannotStart
from services.common.settings import ServiceSettings
from services.knowledge.entries.regions import BadRegions, RegionTree, read_regions
from services.knowledge.finding.background import DATA

SAMPLE_BASE = DATA / "sample_base.csv"
"""Entries of a fictional province, to see the system work before an own base is imported."""
SAMPLE_OFFICES = DATA / "sample_offices.csv"
"""Offices of that province."""


class KnowledgeSettings(BaseModel):
    """The group `BANXI_KNOWLEDGE__…`."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    region: Annotated[str, Field(min_length=1)] = "临江市"
    """The site's region: where a call belongs that comes without one."""
    regions: Path = DATA / "regions.csv"
    """Table of regions, `name,parent`."""
    sample_base: bool = True
    """Whether an empty base is filled from `base`."""
    base: Path = SAMPLE_BASE
    """Table (CSV or Excel) an empty base is filled from."""
    offices: Path = SAMPLE_OFFICES
    """Table (CSV or Excel) of offices the directory of an empty base is filled from."""
    database: SecretStr | None = None
    """A PostgreSQL database for the base, `postgresql+asyncpg://user:password@host/name`; a
    password left out is taken from `PGPASSWORD`. None = a file in `data_dir`."""


class Settings(ServiceSettings):
    """What the knowledge service reads from the environment."""

    knowledge: KnowledgeSettings = KnowledgeSettings()
    """Regions, and the base at first start."""
    qdrant_url: str | None = None
    """A Qdrant server for the index (`http://host:6333`); None = embedded, in `data_dir`."""
    qdrant_api_key: SecretStr | None = None
    """Key for the Qdrant server, where it asks for one."""


DATABASE = "knowledge.db"
"""Name of the database in the data directory."""


def database_place(settings: Settings) -> Path | str:
    """Where the database is: a file, or the address of a server."""
    address = settings.knowledge.database
    return address.get_secret_value() if address else settings.data_dir / DATABASE


def region_tree(settings: KnowledgeSettings) -> RegionTree:
    """The table of regions. Raises CannotStart with one sentence where it cannot be used."""
    path = settings.regions
    try:
        tree = read_regions(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CannotStart(
            f"BANXI_KNOWLEDGE__REGIONS: {path} cannot be read ({error.strerror})"
        ) from None
    except UnicodeDecodeError:
        raise CannotStart(f"BANXI_KNOWLEDGE__REGIONS: {path} is not UTF-8 text") from None
    except BadRegions as error:
        raise CannotStart(f"BANXI_KNOWLEDGE__REGIONS: {path}, {error}") from None
    if settings.region not in tree:
        raise CannotStart(
            f"BANXI_KNOWLEDGE__REGION: {settings.region} is not in {path}: add it there, "
            "or name one of its regions"
        )
    return tree
