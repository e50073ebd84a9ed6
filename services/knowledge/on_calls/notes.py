"""What an agent has to mind about an answer before giving it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

SOON_DAYS = 30
"""An answer that ends within so many days says so."""


def note(region: str, differs: Sequence[str], ends: date | None, today: date) -> str:
    """One or two sentences, or nothing. `region`: of the entry that decides; `differs`: regions
    above or below it that hold another rule on the same matter; `ends`: the answer's last day."""
    parts = []
    if others := [name for name in dict.fromkeys(differs) if name != region]:
        parts.append(f"{'、'.join(others)}另有规定，请先问清对方在哪里办。")
    if ends is not None and 0 <= (left := (ends - today).days) <= SOON_DAYS:
        when = "今天" if left == 0 else f"{ends.month} 月 {ends.day} 日"
        parts.append(f"这条答复{when}到期，请提醒对方。")
    return "".join(parts)
