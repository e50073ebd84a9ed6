"""Settings of the desk: `BANXI_DESK__…`."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.common.settings import ListenerSettings, Port


class DeskSettings(BaseModel):
    """What can be set about the pages."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    port: Port = 7700
    """Port of the pages."""
    session_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 12.0
    """How long a sign-in lasts, hours: a shift, with some to spare."""
    look_back_hours: Annotated[float, Field(gt=0, le=24 * 7)] = 4.0
    """How far back events are read at start, hours: live calls are shown again after a restart."""
    utc_offset_hours: Annotated[float, Field(ge=-12, le=14)] = 8.0
    """The site's clock, hours ahead of UTC: decides when "today" begins."""
    behind_tls: bool = False
    """True where a proxy speaks HTTPS for the pages: cookies are then sent over HTTPS alone."""


class Settings(ListenerSettings):
    """Settings of the desk."""

    desk: DeskSettings = DeskSettings()
    """The pages."""

    @property
    def local_time(self) -> timezone:
        """The site's time zone."""
        return timezone(timedelta(hours=self.desk.utc_offset_hours))
