"""Settings of the records service."""

from __future__ import annotations

from services.common.settings import ServiceSettings


class Settings(ServiceSettings):
    """The records service needs nothing but a directory for its database: `BANXI_DATA_DIR`."""
