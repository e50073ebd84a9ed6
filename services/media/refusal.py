"""Why a sender is turned away."""

from __future__ import annotations

from contracts.door import DoorError


class Refusal(Exception):
    """What a sender did wrong, or what keeps us from serving it. `error` is what it is told.

    The text names rules and fields, never values: these may be personal.
    """

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.error = DoorError(code=code, message=message, field=field)
