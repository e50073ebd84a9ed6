"""A forbidden phrase that was raised on a partial: what its final makes of it, in whatever order
the two come back."""

from __future__ import annotations

import pytest

from contracts.base import Event
from contracts.card import CardShown
from contracts.score import ScoreChanged
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from services.common.calls import CallSettled, Happening
from services.conduct.handler import ConductHandler
from services.conduct.phrases.notices import PhraseNotices
from services.escalation.policy import follow
from services.escalation.view import CallView
from tests.unit.conduct.heads import BOOK, KNOWN, RAMBLE, head, rules_with
from tests.unit.conduct.stories import final
from tests.unit.escalation.scripts import POLICY

pytestmark = pytest.mark.unit

SAID, OTHER, FINE = "这我怎么知道", "别再这么啰嗦", "您带身份证来就可以"
RULES = rules_with(head())
HANDLER = ConductHandler(RULES)
NOTICES = PhraseNotices(RULES.phrases.version)
ID = f"{KNOWN}-10000"


def early(start: int = 10_000, text: str = SAID) -> WarningRaised:
    """What a partial of the utterance that began at `start` says."""
    (hit,) = BOOK.hits(text)
    cause = f"c:agent-{start + 900}:{start}:transcript.partial"
    span = start, start + 900
    return NOTICES.raised("c", "s", hit, (start, cause), span, provisional=True)


def spoken(start: int = 10_000, text: str = SAID) -> Event:
    return final("agent", start, start + 2_000, text)


def fold(*happenings: Happening) -> list[tuple[str, str]]:
    """What follows about forbidden phrases: the event, and the warning's id."""
    call, said = HANDLER.open("c", "s"), []
    for happening in happenings:
        call, events = HANDLER.fold(call, happening)
        said += events
    return [
        (e.event, e.warning_id)
        for e in said
        if isinstance(e, WarningConfirmed | WarningWithdrawn)
        or (isinstance(e, WarningRaised) and e.phrase and e.kind == "forbidden_phrase")
    ]


RAISED, CONFIRMED, WITHDRAWN = "warning.raised", "warning.confirmed", "warning.withdrawn"


def test_the_final_confirms_it_with_its_own_words_and_shows_one_card() -> None:
    call = HANDLER.open("c", "s")
    call, _ = HANDLER.fold(call, early())
    call, said = HANDLER.fold(call, spoken(text=f"{SAID}呀"))
    assert [e for e in said if isinstance(e, WarningRaised)] == []
    (confirmed,) = (e for e in said if isinstance(e, WarningConfirmed))
    assert confirmed.warning_id == ID
    assert confirmed.derived_from == ("c:agent:10000:transcript.final", early().event_id)
    assert confirmed.evidence[0].words == SAID
    (card,) = (e for e in said if isinstance(e, CardShown) and e.slot == "wrong")
    assert card.card_id == f"wrong-{ID}"
    # Heard of it itself, it has nothing left to take back.
    call, _ = HANDLER.fold(call, confirmed)
    _, said = HANDLER.fold(call, CallSettled("c", 20_000))
    assert [e for e in said if isinstance(e, WarningWithdrawn)] == []


def test_a_final_without_it_takes_it_back() -> None:
    assert fold(early(), spoken(text=FINE)) == [(WITHDRAWN, ID)]
    assert fold(early(), spoken(text=OTHER)) == [(RAISED, f"{RAMBLE}-10000"), (WITHDRAWN, ID)]


def test_two_phrases_of_one_utterance_and_two_utterances() -> None:
    both = early(), early(text=OTHER)
    assert fold(*both, spoken(text=f"{SAID}，{OTHER}")) == [
        (CONFIRMED, ID),
        (CONFIRMED, f"{RAMBLE}-10000"),
    ]
    assert fold(early(10_000), early(15_000), spoken(10_000), spoken(15_000, FINE)) == [
        (CONFIRMED, ID),
        (WITHDRAWN, f"{KNOWN}-15000"),
    ]


def test_one_that_comes_back_behind_the_firm_one_is_confirmed() -> None:
    firm = early().model_copy(update={"provisional": False})
    assert fold(spoken(), firm, early()) == [(RAISED, ID), (CONFIRMED, ID)]
    # Or behind the final alone, whose own conclusion is still under way.
    assert fold(spoken(), early(), firm) == [(RAISED, ID), (CONFIRMED, ID)]


def test_the_firm_one_is_another_event() -> None:
    # One of the same id within two minutes is stored once only: the firm one would be lost.
    firm = early().model_copy(update={"provisional": False})
    assert firm.event_id != early().event_id
    assert firm.warning_id == early().warning_id


def test_without_a_final_it_is_taken_back_with_the_next_one() -> None:
    assert fold(early(), spoken(20_000, FINE)) == [(WITHDRAWN, ID)]
    assert fold(early(), final("caller", 20_000, 21_000, FINE)) == []
    assert fold(early(), final("agent", 10_000, 11_000, ""), spoken(20_000, FINE)) == [
        (WITHDRAWN, ID)
    ]
    assert fold(early(), CallSettled("c", 30_000)) == [(WITHDRAWN, ID)]


def test_with_a_final_it_is_left_to_what_follows_from_that() -> None:
    # What followed has not come back yet, and the agent goes on speaking.
    assert fold(early(), spoken(), spoken(13_000, FINE)) == [(CONFIRMED, ID)]
    firm = early().model_copy(update={"provisional": False})
    assert fold(spoken(), early(), spoken(13_000, FINE), firm) == [(RAISED, ID), (CONFIRMED, ID)]


def test_one_that_is_raised_after_it_was_taken_back_has_an_id_of_its_own() -> None:
    # Its final comes after that of a later utterance.
    story = early(), spoken(20_000, FINE), spoken()
    assert fold(*story) == [(WITHDRAWN, ID), (RAISED, f"{ID}-again")]
    spoke = final("caller", 500, 900, FINE)
    assert outcome(spoke, *story) == ([95], 1)
    assert outcome(spoke, *story, spoken(), spoken(25_000, FINE)) == ([95], 1)
    # Its final comes again, with other words.
    assert outcome(spoke, early(), spoken(text=FINE), spoken()) == ([95], 1)


def outcome(*story: Happening) -> tuple[list[int], int]:
    """The scores that were told, and how many warnings count for escalation, of all that was said
    in a story, our own answers included."""
    call, view = HANDLER.open("c", "s"), CallView("c", "s")
    scores: list[int] = []
    waiting: list[Happening] = list(story)
    while waiting:
        happening = waiting.pop(0)
        if isinstance(happening, Event):
            view, _ = follow(view, happening, POLICY)
        call, said = HANDLER.fold(call, happening)
        scores += [e.score for e in said if isinstance(e, ScoreChanged)]
        waiting[:0] = [
            e for e in said if isinstance(e, WarningRaised | WarningConfirmed | WarningWithdrawn)
        ]
    return scores, len(view.counted)


def test_score_and_escalation_count_it_once_and_only_when_firm() -> None:
    assert outcome(early()) == ([], 0)
    assert outcome(early(), spoken(text=FINE)) == ([], 0)
    assert outcome(early(), spoken()) == ([95], 1)
    assert outcome(spoken()) == ([95], 1)
    assert outcome(spoken(), early()) == ([95], 1)
    assert outcome(early(), early(), spoken(), spoken()) == ([95], 1)
