"""Settings of the call-type service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.common.settings import ServiceSettings


class CallTypeSettings(BaseModel):
    """The group `BANXI_CALL_TYPE__…`."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    tables: Path | None = None
    """Directory with the hotline's own signals.yaml, intake.yaml, advice.yaml, prosody.yaml and
    situations.yaml; None = those that come with Banxi."""
    types: Path | None = None
    """File that `banxi train call-type` wrote; None = the one that comes with Banxi."""
    situations: Path | None = None
    """File that `banxi train situations` wrote; None = the one that comes with Banxi."""
    firm: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Confidence from which the handling advice of a type is shown."""
    patience_s: Annotated[float, Field(gt=0, le=10)] = 1.0
    """How long the embedding service may take for an utterance, seconds; after that the words
    alone decide."""
    history_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """How far back the calls of the same number are looked at, days."""
    history_calls: Annotated[int, Field(ge=1, le=99)] = 10
    """How many of them at most."""


class Settings(ServiceSettings):
    """What the call-type service reads from the environment."""

    call_type: CallTypeSettings = CallTypeSettings()
    """How call types are assessed."""
