"""Two legs on one clock: samples in as they come, 100 ms frames out, gaps filled with silence.

Pure: wall time comes in as elapsed milliseconds. A leg that sends nothing stays `BEHIND_MS` behind
(the wall clock of a live call, the other leg of a replayed one), so that a short stall of its
network costs nothing; when it speaks again after a real gap it is put back where it belongs.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from contracts.audio import FRAME_MS, Frame
from contracts.base import ROLES, Role
from services.media.g711 import Samples

BEHIND_MS = 1_000
REPLAY_PATIENCE_MS = 5_000
"""A replaying sender is busy rather than silent: so long it may send nothing."""


class _Leg:
    """One channel; positions are samples on the clock."""

    def __init__(self) -> None:
        self.position = 0
        """End of what is on the clock, silence included."""
        self.heard = 0
        """End of the last real audio."""
        self.gap_from = 0
        """Where the leg was when it last sent something."""
        self.gap_ms = 0.0
        """How long it has sent nothing, wall time."""
        self.uncut = bytearray()
        """What is not in a frame yet."""

    @property
    def was_filled(self) -> bool:
        return self.position > self.gap_from

    def fill(self, to: float) -> None:
        missing = int(to) - self.position
        if missing > 0:
            self.uncut += bytes(2 * missing)
            self.position += missing

    def close_gap(self) -> None:
        self.gap_from, self.gap_ms = self.position, 0.0


class Legs:
    """Agent and caller of one call."""

    def __init__(self, call_id: str, site: str, rate: int, *, live: bool) -> None:
        self._call_id = call_id
        self._site = site
        self._rate = rate
        self._live = live
        self._legs: dict[Role, _Leg] = {role: _Leg() for role in ROLES}

    @property
    def heard_ms(self) -> int:
        """End of the last audio that really came, ms."""
        return self._ms(max(leg.heard for leg in self._legs.values()))

    def received_ms(self, role: Role) -> int:
        """How far a leg is on the clock, ms."""
        return self._ms(self._legs[role].position)

    def ahead_ms(self, role: Role) -> int:
        """How far a leg is before the other, ms."""
        other = min(leg.position for name, leg in self._legs.items() if name != role)
        return self._ms(self._legs[role].position - other)

    def hear(self, role: Role, samples: Samples) -> None:
        """Samples of one leg have come."""
        leg = self._legs[role]
        if self._live and leg.was_filled:
            leg.fill(leg.gap_from + self._samples(leg.gap_ms) - len(samples))
        leg.uncut += np.asarray(samples, dtype="<i2").tobytes()
        leg.position += len(samples)
        leg.heard = leg.position
        leg.close_gap()

    def pass_time(self, elapsed_ms: float, silent: Collection[Role], *, gone: bool) -> None:
        """Wall time has passed in which the `silent` legs sent nothing.

        `gone`: nobody is connected; the clock then goes on by wall time, whatever the pace.
        """
        behind = self._samples(BEHIND_MS)
        furthest = max(leg.position for leg in self._legs.values())
        for role in silent:
            leg = self._legs[role]
            leg.gap_ms += elapsed_ms
            if self._live or gone:
                leg.fill(leg.gap_from + self._samples(leg.gap_ms) - behind)
            if not self._live and leg.gap_ms >= REPLAY_PATIENCE_MS:
                leg.fill(furthest - behind)

    def resume(self, role: Role) -> int:
        """A sender is back: where its audio goes on, ms."""
        leg = self._legs[role]
        if leg.was_filled:
            leg.fill(leg.gap_from + self._samples(leg.gap_ms))
        leg.close_gap()
        return self._ms(leg.position)

    def cut(self) -> list[Frame]:
        """The whole frames that are ready, by time."""
        size = self._rate * FRAME_MS // 1000 * 2
        frames = []
        for role, leg in self._legs.items():
            while len(leg.uncut) >= size:
                frames.append(self._frame(role, leg, size))
        return sorted(frames, key=lambda frame: frame.start_ms)

    def finish(self) -> tuple[int, list[Frame]]:
        """The call is over: its length in ms, and the last frames; both legs end together."""
        for leg in self._legs.values():
            if self._live and leg.was_filled:
                leg.fill(leg.gap_from + self._samples(leg.gap_ms))
        end = max(leg.position for leg in self._legs.values())
        for leg in self._legs.values():
            leg.fill(end)
        frames = self.cut()
        for role, leg in self._legs.items():
            if leg.uncut:
                frames.append(self._frame(role, leg, len(leg.uncut)))
        return self._ms(end), frames

    def _frame(self, role: Role, leg: _Leg, size: int) -> Frame:
        start = self._ms(leg.position - len(leg.uncut) // 2)
        pcm = bytes(leg.uncut[:size])
        del leg.uncut[:size]
        return Frame(self._site, self._call_id, role, start, self._rate, pcm)

    def _ms(self, samples: int) -> int:
        return samples * 1000 // self._rate

    def _samples(self, ms: float) -> int:
        return int(ms * self._rate / 1000)
