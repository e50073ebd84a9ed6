"""Asking another service in the course of a call, and going on without where there is no answer."""

from __future__ import annotations

import logging
import time

REST_S = 5.0
"""After a failure the service is left alone this long: a call that waits out the whole patience at
every utterance would fall behind."""


class NoAnswer(RuntimeError):
    """Why there is none. Never holds what was asked: that may be a caller's words or number."""


class Asking:
    """Counts what is asked, rests after a failure, and logs the first failure and the return."""

    def __init__(self, log: logging.Logger, service: str, without: str) -> None:
        """`service`: who is asked; `without`: what is done where there is no answer."""
        self._log = log
        self._service = service
        self._without = without
        self._rest_until = 0.0
        self._down = False
        self.asked = 0
        self.unanswered = 0

    def _may_ask(self) -> bool:
        """Whether to ask now; counted either way."""
        self.asked += 1
        resting = time.monotonic() < self._rest_until
        self.unanswered += resting
        return not resting

    def _answered(self) -> None:
        if self._down:
            self._log.info("%s answers again", self._service)
            self._down = False

    def _failed(self, reason: str) -> None:
        self.unanswered += 1
        self._rest_until = time.monotonic() + REST_S
        if not self._down:
            self._log.warning("%s: %s", self._without, reason)
            self._down = True
