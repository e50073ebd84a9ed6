"""Which type is shown, and whether the caller has turned. Pure.

What the heads say of a call wavers. Three different things may lie behind another type leading:
the caller has turned; the first impression was wrong; or nothing, and it will lead no more with the
next utterance. They are told apart by numbers that were learned (`banxi train call-type`): a turn
is said only where it is likely one; a wrong impression is corrected where the new type leads
clearly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from contracts.call_type import CALL_TYPES, CallType
from services.common.heads import Array, log_shares

FIRST_SURE = 0.5
"""Probability from which the first type is shown."""
FULL = 16
"""Characters beside acknowledgements from which a turn counts fully; of a shorter one only a part
is believed, or a misheard word at the hang-up would undo a whole call."""
LEAST_PART = 0.2
"""That part at least."""
FIRST_TELLING = 5
"""Characters beside acknowledgements that a turn must have to show the first type: one word (社保)
names a subject, not what the caller does."""
ENOUGH_TURNS = 3
"""Caller turns after which the likeliest type is shown, if it is `FIRST_LIKELY`."""
FIRST_LIKELY = 0.3
TURN_SURE = 0.45
"""Probability that the caller has turned from which that is said."""
CORRECTED_LEAD = 0.3
"""Lead in probability with which another type replaces the one shown where it is no turn."""
LASTING_LEAD = 0.1
"""The same where it led after the caller's turn before already."""
BY_WORDS = 0.3
"""Probability by the words that a type must have to be shown: the tone alone shows none."""
SIGNS = (
    "leader", "shown", "lead", "leader_before", "shown_before", "held", "turn", "length",
    "second_turn", "just_shown",
)  # fmt: skip
"""What decides whether it is a turn: log-odds of the new type and of the one shown, now and after
the caller's turn before; for how many turns it has been shown; which turn of the caller's it is,
and how much it says."""


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Which type stands, and since when."""

    shown: CallType | None = None
    turn: int = 0
    """The caller's turn that was judged last, from 1."""
    since: int = 0
    """The caller's turn with which `shown` came to stand."""
    now: Array | None = None
    """Probabilities after that turn, so far as it has been heard, in view of those before."""
    before: Array | None = None
    """Probabilities after the turn before it."""


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What follows from one more utterance of the caller."""

    standing: Standing
    turned: float = 0.0
    """How sure it is that the caller has turned to what now stands; 0 where that is not said."""


def decide(
    standing: Standing, shares: Array, by_words: Array, turn: int, telling: int, weights: Array
) -> Decision:
    """The type to show. `shares`: probabilities of the types; `by_words`: without the tone; `turn`:
    number of the caller's turn, from 1; `telling`: characters it has so far, acknowledgements left
    out; `weights`: one for each of `SIGNS` and the bias."""
    if turn != standing.turn:
        standing = replace(standing, turn=turn, before=standing.now)
    shares = _in_view_of(standing.before, shares, telling)
    standing = replace(standing, now=shares)
    leader = int(shares.argmax())
    if by_words[leader] < BY_WORDS:
        return Decision(standing)
    if standing.shown is None:
        enough = FIRST_LIKELY if turn >= ENOUGH_TURNS else FIRST_SURE
        known = telling >= FIRST_TELLING and shares[leader] >= enough
        return Decision(_show(standing, leader) if known else standing)
    shown = CALL_TYPES.index(standing.shown)
    if leader == shown:
        return Decision(standing)
    sure = _sigmoid(float(signs(standing, leader, telling) @ weights[:-1] + weights[-1]))
    if sure >= TURN_SURE:
        return Decision(_show(standing, leader), sure)
    led = standing.before is not None and int(standing.before.argmax()) == leader
    if shares[leader] - shares[shown] >= (LASTING_LEAD if led else CORRECTED_LEAD):
        return Decision(_show(standing, leader))
    return Decision(standing)


def signs(standing: Standing, leader: int, telling: int) -> Array:
    """The numbers named by `SIGNS`, where another type than the one shown leads."""
    assert standing.shown is not None
    assert standing.now is not None
    shown = CALL_TYPES.index(standing.shown)
    before = np.full(len(CALL_TYPES), 0.1) if standing.before is None else standing.before
    odds, odds_shown = _log_odds(standing.now[leader]), _log_odds(standing.now[shown])
    held = max(0, standing.turn - standing.since - 1)
    return np.array(
        [
            odds,
            odds_shown,
            odds - odds_shown,
            _log_odds(before[leader]),
            _log_odds(before[shown]),
            min(held, 5) / 2,
            math.log1p(standing.turn),
            math.log1p(telling) / 3,
            float(standing.turn == 2),
            float(held == 0),
        ],
        dtype=np.float32,
    )


def _in_view_of(before: Array | None, shares: Array, telling: int) -> Array:
    """Probabilities after a turn: what it says by itself counts by how much it says."""
    if before is None:
        return shares
    part = min(1.0, max(LEAST_PART, telling / FULL))
    logs = [np.log(np.maximum(one, 1e-9)) for one in (shares, before)]
    return np.exp(log_shares(part * logs[0] + (1 - part) * logs[1]))


def _show(standing: Standing, index: int) -> Standing:
    return replace(standing, shown=CALL_TYPES[index], since=standing.turn)


def _log_odds(share: float) -> float:
    kept = min(max(float(share), 1e-4), 1 - 1e-4)
    return math.log(kept / (1 - kept))


def _sigmoid(odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
