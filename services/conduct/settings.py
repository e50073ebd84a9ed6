"""Settings of the conduct service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.common.settings import ServiceSettings
from services.conduct.manners.book import Limits
from services.conduct.waits.book import Times

OwnSeconds = Annotated[float, Field(gt=0, le=600)] | None


class ConductSettings(BaseModel):
    """The group `BANXI_CONDUCT__…`. A time left out is the one of the waiting file."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    phrases: Path | None = None
    """The site's own file of forbidden phrases, in the form of `data/phrases.yaml`."""
    waiting: Path | None = None
    """The site's own file of times and words of waiting, in the form of `data/waiting.yaml`."""
    required: Path | None = None
    """The site's own file of what should be said, in the form of `data/required.yaml`."""
    score: Path | None = None
    """The site's own score table, in the form of `data/score.yaml`."""
    manner: Path | None = None
    """The site's own file of manner, in the form of `data/manner.yaml`."""
    meaning: Path | None = None
    """The site's own meaning head, made by `banxi train conduct`."""
    patience_s: Annotated[float, Field(gt=0, le=30)] = 1.5
    """How long the vector of an utterance is waited for, seconds; after that words decide alone."""
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
    talking_over_s: OwnSeconds = None
    """How long the agent may go on after the caller cut in, seconds."""
    unannounced_s: OwnSeconds = None
    """Unannounced wait of the caller that is kept for who reviews the call, seconds."""
    thanks_from_s: OwnSeconds = None
    """Announced wait after which thanks are due, seconds."""
    unattended_s: OwnSeconds = None
    """Silence of the agent in which a caller who asks for somebody is left alone, seconds."""
    split_s: OwnSeconds = None
    """How far apart two utterances may be that a phrase is spread over, seconds."""

    pace_limit: Annotated[float, Field(ge=100, le=900)] | None = None
    """Characters a minute of the agent's speech above which it is too fast. Left out, it is the
    one of the manner file, as all that follow."""
    pace_calm: Annotated[float, Field(ge=50, le=900)] | None = None
    """Characters a minute below which the next warning of it may come."""
    acknowledge_s: OwnSeconds = None
    """How long the caller may tell without a word from the agent, seconds."""
    repeat_times: Annotated[int, Field(ge=2, le=20)] | None = None
    """How often the agent may not ask to repeat."""
    repeat_window_s: Annotated[float, Field(gt=0, le=3600)] | None = None
    """Within this time, seconds."""

    def own_limits(self) -> dict[str, float]:
        """The limits of the manner file that a site sets itself."""
        return self.model_dump(exclude_none=True, include=set(Limits.model_fields))

    def own_times(self) -> dict[str, float]:
        """The times of the waiting file that a site sets itself."""
        return self.model_dump(exclude_none=True, include=set(Times.model_fields))


class Settings(ServiceSettings):
    """Everything the conduct service can be told."""

    conduct: ConductSettings = ConductSettings()
    """Its rules and times."""
