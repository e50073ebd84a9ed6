"""What other rules would change: the same words decided by two rule files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from rich.console import Console
from rich.markup import escape

Kind = Literal["newly_raised", "no_longer_raised", "other_rule"]
_MARK: Mapping[str, str] = {
    "newly_raised": "[red]+[/]",
    "no_longer_raised": "[green]-[/]",
    "other_rule": "[yellow]~[/]",
}


class Found(Protocol):
    """One phrase that was found."""

    @property
    def rule(self) -> str:
        """Its rule."""

    @property
    def words(self) -> str:
        """The words as heard."""


def kind_of(new: Sequence[Found], old: Sequence[Found]) -> Kind | None:
    """What becomes of an utterance; None where both raise the same rules."""
    now, then = {one.rule for one in new}, {one.rule for one in old}
    if now == then:
        return None
    if now > then:
        return "newly_raised"
    return "no_longer_raised" if now < then else "other_rule"


def told(said: Sequence[Found]) -> list[dict[str, str]]:
    """What was found, for a report."""
    return [{"rule": one.rule, "words": one.words} for one in said]


def print_changes(changes: Sequence[Mapping[str, object]]) -> None:
    """The changes for people: how many of each kind, then each with its words."""
    console = Console(highlight=False, soft_wrap=True)
    counted = Counter(str(change["kind"]) for change in changes)
    kinds = ", ".join(f"{counted[kind]} {kind.replace('_', ' ')}" for kind in _MARK)
    console.print(f"decided otherwise: {len(changes)} ({kinds})")
    for change in changes:
        old, new = _names(change["old"]), _names(change["new"])
        right = change.get("right")
        note = f"  [dim]({right} is right)[/]" if right else ""
        console.print(
            f"{_MARK[str(change['kind'])]} {escape(str(change['id']))}  "
            f"{escape(old or 'nothing')} → {escape(new or 'nothing')}  "
            f"{escape(str(change['text']))}{note}"
        )


def _names(said: object) -> str:
    assert isinstance(said, list)
    return ", ".join(f"{one['rule']} “{one['words']}”" for one in said)
