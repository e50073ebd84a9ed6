"""What is published: assessments when something changed, each turn once, one advice card at a
time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pytest

from contracts.base import Event, Producer
from contracts.call import CallEnded, CallStarted
from contracts.call_type import CallTypeAssessed, CallTypeTurned
from contracts.card import CardShown, CardWithdrawn
from contracts.situation import SituationRecognised
from contracts.speech import SpeechEnded
from services.call_type.handler import CallState, CallTypeHandler
from services.call_type.history import NOTHING, History
from services.call_type.situations.book import load_book
from services.call_type.situations.recogniser import Recogniser
from services.call_type.types.assess import Assessment
from services.call_type.types.dialogue import KEPT
from services.call_type.types.ear import LONGEST
from services.call_type.types.notices import Told, is_news
from services.call_type.types.turning import Standing
from services.common.calls import CallSettled, Happening
from tests.unit.call_type.scripted import (
    LEADER,
    ScriptedEmbedder,
    books,
    clear,
    faint,
    final,
    meant,
)

pytestmark = pytest.mark.unit

VERSION = f"{books().tables.digest} 00000001"
E = TypeVar("E", bound=Event)


class ScriptedNumbers:
    """What is known of every number."""

    def __init__(self) -> None:
        self.history = NOTHING
        self.asked = 0

    async def of(self, started: CallStarted) -> History:
        self.asked += 1
        return self.history


@pytest.fixture
def embedder() -> ScriptedEmbedder:
    return ScriptedEmbedder()


@pytest.fixture
def numbers() -> ScriptedNumbers:
    return ScriptedNumbers()


@pytest.fixture
def handler(embedder: ScriptedEmbedder, numbers: ScriptedNumbers) -> CallTypeHandler:
    return CallTypeHandler(books(), embedder, numbers, firm=0.5)


def started() -> CallStarted:
    return CallStarted(
        call_id="c1", site="main", at_ms=0, agent_id="8001", caller_number="13900001234"
    )


async def play(
    handler: CallTypeHandler, *happenings: Happening, state: CallState | None = None
) -> tuple[CallState, list[Event]]:
    state = state or handler.open("c1", "main")
    said: list[Event] = []
    for happening in happenings:
        outcome = await handler.handle(state, happening)
        state = outcome.state
        said += outcome.events
    return state, said


def of(kind: type[E], said: Sequence[Event]) -> list[E]:
    return [event for event in said if isinstance(event, kind)]


def cards(said: Sequence[Event]) -> list[str]:
    return [
        ("+" if isinstance(event, CardShown) else "-") + event.card_id
        for event in said
        if isinstance(event, CardShown | CardWithdrawn)
    ]


TURNING = (
    final(1000, clear("咨询")),
    final(4000, "我给您查一下", "agent"),
    final(9000, clear("发泄", "，没有人管")),
    final(13_000, clear("发泄")),
)


async def test_an_assessment_says_what_when_and_why(handler: CallTypeHandler) -> None:
    heard = final(1000, "喂，" + clear("投诉") + "，我要投诉")
    _, (assessed, card) = await play(handler, heard)
    assert isinstance(assessed, CallTypeAssessed)
    assert (assessed.type, assessed.previous, assessed.at_ms) == ("投诉", None, 1000)
    assert assessed.intake == "投诉"
    assert assessed.confidence == pytest.approx(0.858, abs=0.002)
    assert (assessed.types[0].type, len(assessed.types)) == ("投诉", 3)
    assert assessed.types[0].confidence == assessed.confidence
    assert assessed.derived_from == (heard.event_id,)
    assert assessed.by == Producer(name="call-type", version=VERSION)
    (reason,) = assessed.evidence
    assert reason.words == clear("投诉")
    assert (reason.role, reason.start_ms, reason.end_ms) == ("caller", 1000, 1900)
    assert isinstance(card, CardShown)
    assert (card.slot, card.kind, card.card_id) == ("moment", "advice", "advice-8")
    assert card.title.startswith("投诉：")
    assert (card.body, card.avoid) != ("", "")
    assert f"“{clear('投诉')}”" in card.why
    assert card.derived_from == (assessed.event_id,)


@pytest.mark.parametrize(
    "texts",
    [
        ["嗯", "嗯嗯", "好的好的", "行", "对"],
        ["hello, I would like to ask a question", "thank you", "¿Habla español?"],
        ["👍😭", "？！", "  ", ""],
        ["喂你好"],
    ],
    ids=["nods", "another language", "signs", "one word"],
)
async def test_a_caller_who_says_nothing_is_not_yet_known(
    handler: CallTypeHandler, texts: list[str]
) -> None:
    """Nor is the agent's talk judged, whatever it holds."""
    lines = [final(n * 4000, text) for n, text in enumerate(texts)]
    lines += [final(n * 4000 + 2000, clear("投诉"), "agent") for n in range(4)]
    lines += [final(1500, "  ", "agent")]
    state, said = await play(handler, started(), *lines, CallSettled("c1", 30_000))
    assert said == []
    assert (state.assessment.shown, state.told) == (None, Told())
    assert [turn.text for turn in state.assessment.dialogue.turns] == [clear("投诉")] * 4


async def test_what_is_not_clear_waits(handler: CallTypeHandler) -> None:
    """No card before the type is firm, and nothing is said before it is known."""
    state, said = await play(handler, final(0, faint("求助")), final(4000, faint("求助")))
    assert said == []
    _, said = await play(handler, final(8000, faint("求助")), state=state)
    assert [type(event) for event in said] == [CallTypeAssessed]


async def test_the_same_again_is_not_said_again(handler: CallTypeHandler) -> None:
    lines = [final(n * 4000, clear("哭诉") if n % 3 else meant("哭诉")) for n in range(12)]
    _, said = await play(handler, *lines)
    steps = [event.confidence for event in of(CallTypeAssessed, said)]
    assert 1 <= len(steps) <= 12
    assert all(abs(b - a) >= 0.099 for a, b in pairwise(steps))
    assert cards(said) == ["+advice-4"]
    _, quiet = await play(handler, *(final(n * 4000, clear("哭诉")) for n in range(12)))
    assert len(of(CallTypeAssessed, quiet)) == 1


def test_what_is_news() -> None:
    def now(confidence: float) -> Assessment:
        shares = np.full(10, (1 - confidence) / 9, dtype=np.float32)
        shares[0] = confidence
        return Assessment(standing=Standing("咨询", now=shares), intake="业务咨询")

    told = Told("咨询", "业务咨询", 0.46)
    assert not is_news(told, now(0.49), 0.5)
    assert is_news(told, now(0.57), 0.5), "a step"
    assert is_news(told, now(0.51), 0.5), "its advice is due"
    assert not is_news(Told("咨询", "业务咨询", 0.46, card="咨询"), now(0.51), 0.5)
    assert is_news(Told("咨询", "投诉", 0.46), now(0.46), 0.5)
    assert is_news(Told(), now(0.4), 0.5)


async def test_a_turn_is_told_once_with_what_changed_it(handler: CallTypeHandler) -> None:
    """Previous and new type, the words and where they stand; the card follows."""
    _, said = await play(handler, *TURNING)
    (turned,) = of(CallTypeTurned, said)
    assert (turned.previous, turned.type, turned.at_ms) == ("咨询", "发泄", 9000)
    assert turned.confidence >= 0.5
    (words,) = turned.evidence
    assert (words.words, words.role) == (clear("发泄"), "caller")
    assert (words.start_ms, words.end_ms) == (9000, 9900)
    assert turned.derived_from == (TURNING[2].event_id,)
    first, second = of(CallTypeAssessed, said)[:2]
    assert (first.previous, second.type, second.previous) == (None, "发泄", "咨询")
    assert said.index(turned) < said.index(second)
    assert cards(said) == ["+advice-1", "-advice-1", "+advice-3"]
    (gone,) = of(CardWithdrawn, said)
    assert "咨询" in gone.reason
    assert "发泄" in gone.reason
    assert len({event.event_id for event in said}) == len(said)


async def test_a_wrong_impression_is_corrected_without_a_turn(handler: CallTypeHandler) -> None:
    lines = [final(n * 4000, faint("求助")) for n in range(3)] + [final(12_000, faint("叙述"))]
    _, said = await play(handler, *lines)
    assert [(e.type, e.previous) for e in of(CallTypeAssessed, said)] == [
        ("求助", None),
        ("叙述", "求助"),
    ]
    assert of(CallTypeTurned, said) == []


async def test_a_type_that_is_not_firm_has_no_card(embedder: ScriptedEmbedder) -> None:
    careful = CallTypeHandler(books(), embedder, ScriptedNumbers(), firm=0.99)
    _, said = await play(careful, *TURNING)
    assert {type(event) for event in said} == {CallTypeAssessed, CallTypeTurned}


async def test_without_vectors_the_words_decide_and_it_says_so(
    handler: CallTypeHandler, embedder: ScriptedEmbedder
) -> None:
    """What only the vectors tell is then unknown; they may come back at any time."""
    _, (assessed, _) = await play(handler, final(0, meant("哭诉")))
    assert isinstance(assessed, CallTypeAssessed)
    assert (assessed.type, assessed.by.version) == ("哭诉", VERSION)
    embedder.down = True
    state, said = await play(handler, final(0, meant("哭诉")))
    assert said == []
    state, (assessed, _) = await play(handler, final(4000, clear("求助")), state=state)
    assert isinstance(assessed, CallTypeAssessed)
    assert (assessed.type, assessed.by.version) == ("求助", f"{VERSION} words only")
    embedder.down = False
    _, said = await play(handler, final(9000, meant("哭诉")), state=state)
    assert of(CallTypeAssessed, said)[0].by.version == VERSION


async def test_each_final_is_embedded_once(
    handler: CallTypeHandler, embedder: ScriptedEmbedder
) -> None:
    """Of both sides, for types and moments together; never one that is empty or known."""
    caller, agent = final(0, " 停水的事情 "), final(2000, "请您稍等", "agent")
    lines = [caller, agent, final(4000, "  "), caller, agent, final(6000, "说" * 5000)]
    await play(handler, started(), *lines)
    assert embedder.asked == ["停水的事情", "请您稍等", "说" * LONGEST]


async def test_the_same_final_twice_counts_once(handler: CallTypeHandler) -> None:
    for count in range(1, len(TURNING) + 1):
        state, _ = await play(handler, *TURNING[:count])
        again, said = await play(handler, *TURNING[:count], state=state)
        assert said == []
        assert again.told == state.told
        assert again.assessment.dialogue is state.assessment.dialogue


async def test_the_same_call_gives_the_same_events(handler: CallTypeHandler) -> None:
    (_, one), (_, other) = [await play(handler, started(), *TURNING) for _ in range(2)]
    assert one == other


async def test_a_call_read_again_without_vectors_keeps_what_was_published(
    handler: CallTypeHandler, embedder: ScriptedEmbedder
) -> None:
    """It goes on as if nothing had been: the same card lies there, the next turn names the type
    that was really shown."""
    story: list[Event] = []
    state = handler.open("c1", "main")
    for heard in (final(0, meant("咨询")), final(4000, meant("求助"))):
        outcome = await handler.handle(state, heard)
        state = outcome.state
        story += [heard, *outcome.events]
    embedder.down = True
    rebuilt, _ = await play(handler, *story)
    rebuilt = handler.read_again(rebuilt)
    assert rebuilt.told == state.told
    assert (rebuilt.told.type, rebuilt.told.card) == ("求助", "求助")
    assert rebuilt.assessment.shown == "求助"
    _, said = await play(handler, final(9000, clear("发泄")), state=rebuilt)
    assert [event.previous for event in of(CallTypeTurned, said)] == ["求助"]
    assert cards(said) == ["-advice-6", "+advice-3"]


async def test_own_events_that_come_late_do_not_turn_a_call_back(handler: CallTypeHandler) -> None:
    state, first = await play(handler, TURNING[0])
    state, second = await play(handler, *TURNING[1:3], state=state)
    state, said = await play(handler, *first, *second, *first, state=state)
    assert said == []
    assert (state.told.type, state.told.card, state.assessment.shown) == ("发泄",) * 3
    _, said = await play(handler, TURNING[3], state=state)
    assert of(CallTypeTurned, said) == []
    assert cards(said) == []


async def test_events_of_others_are_not_taken_for_its_own(handler: CallTypeHandler) -> None:
    state, (assessed, card) = await play(handler, TURNING[0])
    assert isinstance(assessed, CallTypeAssessed)
    assert isinstance(card, CardShown)
    stranger = Producer(name="another", version="1")
    forged = [
        assessed.model_copy(update={"by": stranger, "type": "对抗"}),
        card.model_copy(update={"by": stranger, "card_id": "advice-7"}),
    ]
    after, _ = await play(handler, *forged, state=state)
    assert after.told == state.told


async def test_the_history_is_asked_once_and_speaks_for_pestering(
    handler: CallTypeHandler, numbers: ScriptedNumbers
) -> None:
    """The same matter as in an earlier call; the agent reads how often the number called."""
    matter = "路口的路灯还是没有修好"
    numbers.history = History(3, (matter, "别的事情"), ("投诉",))
    state, said = await play(handler, started(), started(), final(1000, matter))
    assert numbers.asked == 1
    assert of(CallTypeAssessed, said)[0].type == "纠缠"
    assert "此号码近期来电 3 次" in of(CardShown, said)[0].why
    _, said = await play(handler, final(6000, clear("发泄") * 2), state=state)
    assert all("此号码" not in card.why for card in of(CardShown, said))
    numbers.history = NOTHING
    _, said = await play(handler, started(), final(1000, matter))
    assert of(CallTypeAssessed, said) == []


async def test_a_voice_that_grew_louder_is_remarked_and_shows_nothing_by_itself(
    handler: CallTypeHandler,
) -> None:
    def spoke(at_s: int, level_db: float) -> SpeechEnded:
        return SpeechEnded(
            call_id="c1", site="main", at_ms=at_s * 1000, role="caller",
            end_ms=at_s * 1000 + 3500, level_db=level_db,
        )  # fmt: skip

    loud = [spoke(at, -40.0) for at in (0, 4)] + [spoke(at, -28.0) for at in (10, 14, 18)]
    state, said = await play(handler, *loud, final(18_000, "没有什么特别的事情"))
    assert said == []
    _, said = await play(handler, final(22_000, clear("发泄")), state=state)
    assert "来电人的声音比开头高了 12 分贝" in of(CardShown, said)[0].why
    _, said = await play(handler, final(22_000, clear("咨询")), state=state)
    assert "分贝" not in of(CardShown, said)[0].why


async def test_wording_for_the_moment_comes_and_goes_beside_the_advice(
    handler: CallTypeHandler,
) -> None:
    lines = [
        final(1000, clear("咨询")),
        final(5000, clear("咨询", f"，叫你们{LEADER}来")),
        final(9000, "好的，我把您的意见向上反映一下", "agent"),
        final(13_000, clear("发泄")),
    ]
    _, said = await play(handler, *lines)
    assert cards(said) == [
        "+advice-1",
        "+situation-wants-a-leader",
        "-situation-wants-a-leader",
        "-advice-1",
        "+advice-3",
    ]
    assert [event.situation for event in of(SituationRecognised, said)] == ["wants-a-leader"]
    lying = {card.card_id: card.priority for card in of(CardShown, said)}
    assert lying["situation-wants-a-leader"] > lying["advice-1"], "the moment goes before"


async def test_finals_may_come_late_and_in_any_order(handler: CallTypeHandler) -> None:
    """The call comes to the same type; a final older than all that is remembered is passed over."""
    lines = list(TURNING)
    for order in ([3, 2, 1, 0], [0, 2, 1, 3], [1, 3, 0, 2]):
        state, _ = await play(handler, *(lines[at] for at in order))
        assert state.assessment.shown == "发泄"
        assert [turn.at_ms for turn in state.assessment.dialogue.turns] == [
            1000, 4000, 9000, 13_000,
        ]  # fmt: skip
    alone = [final(10_000 + n * 4000, "我再给您看看", "agent") for n in range(KEPT)]
    state, said = await play(handler, *alone, final(0, clear("投诉")))
    assert said == []
    _, said = await play(handler, final(500_000, clear("投诉")), state=state)
    assert of(CallTypeAssessed, said)[0].type == "投诉"


async def test_a_call_of_300_turns_stays_small_and_quick(embedder: ScriptedEmbedder) -> None:
    """With the real moments beside it: the second half costs no more than the first."""
    handler = CallTypeHandler(books(Recogniser(load_book())), embedder, ScriptedNumbers(), firm=0.5)
    lines = [
        final(n * 5000, f"第{n}次我跟你们说的还是老房子漏水的这件事情", "caller")
        if n % 2
        else final(n * 5000, f"好的我这边记录一下您说的第{n}条", "agent")
        for n in range(300)
    ]
    began = time.process_time()
    state, _ = await play(handler, *lines[:150])
    half = time.process_time()
    state, _ = await play(handler, *lines[150:], state=state)
    first, second = half - began, time.process_time() - half
    assert second < 3 * first + 0.5
    assert second < 6, "150 finals; one takes a few milliseconds"
    assert len(state.assessment.dialogue.turns) == KEPT
    assert state.assessment.dialogue.caller_turns == 150
    assert len(state.moments.said) <= KEPT


async def test_after_the_hang_up_no_advice_comes(handler: CallTypeHandler) -> None:
    ended = CallEnded(call_id="c1", site="main", at_ms=8000, ended_by="caller")
    _, said = await play(handler, ended, final(4000, meant("求助")))
    assert of(CallTypeAssessed, said)
    assert cards(said) == []


async def test_what_an_agent_says_while_listening_parts_no_turn(handler: CallTypeHandler) -> None:
    told = [final(0, clear("投诉")), final(1200, "嗯。", "agent"), final(1500, clear("投诉", "呢"))]
    state, _ = await play(handler, *told)
    (turn,) = state.assessment.dialogue.turns
    assert len(turn.said) == 2
