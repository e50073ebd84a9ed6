"""What is known of a call, and the policy that is applied to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.base import Event
from contracts.call_type import CallTypeAssessed
from contracts.warning import WarningRaised
from services.escalation.red_lines import Finder, RedLines
from services.escalation.rules import Rules, Shown, WarningRule
from services.escalation.witness import Witness

SYSTEM = "system"
"""The supervisor's account in events where the system itself closes an escalation."""
NOBODY = "unknown"
"""The agent, where the call's start was not seen."""
MAX_EVIDENCE = 10
"""Pieces of evidence an escalation holds at most."""


class Policy:
    """The files of the policy, ready to be applied."""

    def __init__(self, rules: Rules, red_lines: RedLines, witness: Witness | None = None) -> None:
        self.rules = rules
        self.finder = Finder(red_lines.red_lines, witness)
        self.witness_version = witness.about.version if witness else ""
        self.words_version = red_lines.stamp
        """Version of the words, as an event names it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An escalation of this call that rests on warnings."""

    rule: WarningRule
    escalation_id: str
    at_ms: int
    basis: frozenset[str]
    """The warnings it rests on."""
    closed: bool = False
    """A supervisor closed it: nothing changes it any more."""
    false: bool = False
    """Its warnings were withdrawn: the system closed it."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of the caller's last final."""

    text: str
    start_ms: int
    end_ms: int
    event_id: str


@dataclass(frozen=True, slots=True)
class CallView:
    """What is known of a call."""

    call_id: str
    site: str
    agent_id: str = NOBODY
    waiting: tuple[WarningRaised, ...] = ()
    """Provisional warnings that are not confirmed yet."""
    counted: tuple[WarningRaised, ...] = ()
    """Warnings that hold, in the order in which they came to hold."""
    confirmed: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    standing: tuple[Standing, ...] = ()
    once: frozenset[str] = frozenset()
    """Escalations that are raised once a call and have been: types and red lines."""
    assessed: CallTypeAssessed | None = None
    """The last assessment."""
    type_since_ms: int = 0
    """From when on the call has been of its type."""
    tail: Tail | None = None


Followed = tuple[CallView, Sequence[Event]]
"""What is known now, and what must be published."""


def wording(rule: Shown, fills: dict[str, str]) -> dict[str, Any]:
    """What an escalation of this rule says, filled in."""
    return {
        "severity": rule.severity,
        "title": rule.title.format_map(fills),
        "reason": rule.reason.format_map(fills),
    }
