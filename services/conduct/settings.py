"""Settings of the conduct service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.common.settings import ServiceSettings

OwnSeconds = Annotated[float, Field(gt=0, le=600)] | None


class ConductSettings(BaseModel):
    """The group `BANXI_CONDUCT__…`. A time left out is the one of the waiting file."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    phrases: Path | None = None
    """The site's own file of forbidden phrases, in the form of `data/phrases.yaml`."""
    waiting: Path | None = None
    """The site's own file of times and required wordings, in the form of `data/waiting.yaml`."""
    silence_note_s: OwnSeconds = None
    """From here on a silence of both sides is worth knowing, seconds."""
    silence_remind_s: OwnSeconds = None
    """Unannounced silence of both sides after which the agent gets a hint, seconds."""
    silence_alarm_s: OwnSeconds = None
    """The same, after which it is an alarm, seconds."""
    words_wait_s: OwnSeconds = None
    """How long a decision waits for the words of the agent's last utterance, seconds."""
    hold_remind_s: OwnSeconds = None
    """Time after a request to wait at which the agent gets a card, seconds."""
    hold_limit_s: OwnSeconds = None
    """Time after a request to wait within which the agent must speak again, seconds."""
    silent_caller_s: OwnSeconds = None
    """Time after the opening without a voice, and between the prompts, seconds."""
    overlap_s: OwnSeconds = None
    """How long both must speak for an interruption, seconds."""
    split_s: OwnSeconds = None
    """How far apart two utterances may be that a phrase is spread over, seconds."""

    def own_times(self) -> dict[str, float]:
        """The times a site sets itself."""
        return self.model_dump(exclude_none=True, exclude={"phrases", "waiting"})


class Settings(ServiceSettings):
    """Everything the conduct service can be told."""

    conduct: ConductSettings = ConductSettings()
    """Its rules and times."""
