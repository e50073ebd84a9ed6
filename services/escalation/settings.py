"""Settings of the escalation service."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from services.common.settings import ServiceSettings

DATA = Path(__file__).parent / "data"


class EscalationSettings(BaseModel):
    """The group `BANXI_ESCALATION__…`."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    policy: Path = DATA / "policy.yaml"
    """What reaches a supervisor: a copy of the built-in file, changed for the site."""
    red_lines: Path = DATA / "red_lines.yaml"
    """The words of serious matters."""
    witness: Path = DATA / "witness.npz"
    """What points to serious matters that no word of the list names (`banxi train red-lines`)."""


class Settings(ServiceSettings):
    """What the escalation service reads from the environment."""

    escalation: EscalationSettings = EscalationSettings()
    """The files it works by."""
