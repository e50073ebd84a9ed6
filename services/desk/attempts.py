"""How often somebody may try to sign in: a pure limiter, time comes in as a value."""

from __future__ import annotations

from collections import OrderedDict, deque

WINDOW_S = 300.0
PER_ACCOUNT = 5
PER_ADDRESS = 30
MAX_KEYS = 10_000


class Attempts:
    """Failed attempts of the last five minutes, by account and by address."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, account: str, address: str, now: float) -> float:
        """Seconds to wait before the next attempt; 0 = now."""
        return max(
            self._wait(f"account {account}", PER_ACCOUNT, now),
            self._wait(f"address {address}", PER_ADDRESS, now),
        )

    def begin(self, account: str, address: str, now: float) -> None:
        """Note an attempt. It counts as failed until it succeeds: many at once are no way round."""
        for key in (f"account {account}", f"address {address}"):
            self._failed.setdefault(key, deque(maxlen=PER_ADDRESS)).append(now)
            self._failed.move_to_end(key)
        while len(self._failed) > MAX_KEYS:
            self._failed.popitem(last=False)

    def succeeded(self, account: str, address: str) -> None:
        """Whoever got in starts afresh."""
        self._failed.pop(f"account {account}", None)
        if times := self._failed.get(f"address {address}"):
            times.pop()

    def _wait(self, key: str, limit: int, now: float) -> float:
        times = self._failed.get(key)
        if times is None:
            return 0.0
        while times and now - times[0] >= WINDOW_S:
            times.popleft()
        if len(times) < limit:
            return 0.0
        return WINDOW_S - (now - times[-limit])
