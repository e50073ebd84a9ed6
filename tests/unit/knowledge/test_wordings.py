"""Agreed wordings: what stands, what may be announced, who has read it, and how they are found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.requests import AnnounceWording, ListWordings, ReadWording, WithdrawWording, Wording
from services.common.bus import RequestFailed
from services.knowledge.announced.entries import wording_entries
from services.knowledge.announced.requests import WordingRequests
from services.knowledge.announced.standing import MOST_STANDING, next_end, standing, tidied
from services.knowledge.announced.store import WordingStore
from services.knowledge.entries.regions import RegionTree
from services.knowledge.keeping.database import Database
from services.knowledge.keeping.store import Store

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TREE = RegionTree({"青川省": None, "临江市": "青川省", "云岭县": "临江市", "外省": None})
MOMENTS = st.integers(0, 8).map(lambda hours: NOON + timedelta(hours=hours))


def wording(name: str = "w1", **more: object) -> Wording:
    values = {"title": "停水", "body": "明早恢复供水。", "announced_by": "b01"}
    return Wording.model_validate({"wording_id": name, "announced_at": NOON} | values | more)


def asked(title: str = "停水", **more: object) -> AnnounceWording:
    values = {"title": title, "body": "明早恢复供水。", "by": "b01"}
    return AnnounceWording.model_validate(values | more)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path / "knowledge.db")
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def requests(store: Store, clock: Clock) -> WordingRequests:
    requests = WordingRequests(TREE, now=clock)
    requests.use(WordingStore(store.database))
    return requests


async def stand(requests: WordingRequests) -> list[str]:
    return [w.title for w in (await requests.list(ListWordings())).wordings]


@given(st.lists(st.tuples(MOMENTS, st.none() | MOMENTS, st.none() | MOMENTS), max_size=6), MOMENTS)
def test_what_stands_is_neither_over_nor_withdrawn_and_the_next_end_is_theirs(
    made: list[tuple[datetime, datetime | None, datetime | None]], now: datetime
) -> None:
    all_ = [
        wording(f"w{n}", announced_at=at, until=until, withdrawn_at=withdrawn)
        for n, (at, until, withdrawn) in enumerate(made)
    ]
    left = standing(all_, now)
    assert all(w.withdrawn_at is None and (not w.until or w.until > now) for w in left)
    assert [w.announced_at for w in left] == sorted((w.announced_at for w in left), reverse=True)
    over = {w.wording_id for w in all_} - {w.wording_id for w in left}
    assert all(w.withdrawn_at or (w.until and w.until <= now) for w in all_ if w.wording_id in over)
    end = next_end(all_, now)
    assert (end is None) == all(w.until is None for w in left)
    if end is not None:
        assert len(standing(all_, end)) < len(left)
        assert len(standing(all_, end - timedelta(microseconds=1))) == len(left)


def test_a_wording_is_an_entry_of_its_region_or_of_every_topmost_one() -> None:
    local = wording(topics=("没水了",), region="云岭县", until=NOON + timedelta(hours=30))
    [entry] = wording_entries([local], TREE, UTC)
    assert (entry.id, entry.sort, entry.authorised) == ("wording-w1", "announced", True)
    assert entry.wordings == ("停水", "没水了")
    assert (entry.answer, entry.region, entry.authorised_by) == ("明早恢复供水。", "云岭县", "b01")
    assert (entry.valid_to, entry.authorised_at) == (
        (NOON + timedelta(hours=30)).date(),
        NOON.date(),
    )
    everywhere = wording_entries([wording()], TREE, UTC)
    assert [(e.id, e.region) for e in everywhere] == [
        ("wording-w1", "青川省"),
        ("wording-w1.2", "外省"),
    ]
    assert all(e.valid_on(NOON.date()) for e in everywhere)


def test_blanks_that_mean_nothing_are_left_out() -> None:
    tidy = tidied(asked(" 停\n水 ", topics=("没水 了", " 没水  了", " "), region=" ", by=" b01 "))
    assert (tidy.title, tidy.topics, tidy.region, tidy.by) == ("停 水", ("没水 了",), None, "b01")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": " "}, "title"),
        ({"body": "\n"}, "body"),
        ({"by": " "}, "by"),
        ({"region": "不存在的县"}, "region"),
        ({"until": NOON}, "until"),
        ({"until": "2026-11-22T11:59:00"}, "until"),
    ],
)
async def test_what_may_not_be_announced_is_named_by_its_field(
    requests: WordingRequests, wrong: dict[str, object], field: str
) -> None:
    with pytest.raises(RequestFailed) as caught:
        await requests.announce(AnnounceWording.model_validate(asked().model_dump() | wrong))
    assert (caught.value.problem.code, caught.value.problem.field) == ("invalid", field)
    assert await stand(requests) == []


async def test_from_announced_to_withdrawn_with_receipts(
    requests: WordingRequests, store: Store, clock: Clock
) -> None:
    before = await store.number()
    kept = (await requests.announce(asked(region="云岭县", topics=("没水了",)))).wording
    about = f"wording:{kept.wording_id}"
    first = await store.since(before)
    assert first.ids == (about,)
    with pytest.raises(RequestFailed) as caught:
        await requests.announce(asked(region="云岭县"))
    assert caught.value.problem.code == "conflict"

    for by, minute in (("015", 1), ("008", 2), (" 015", 3)):
        clock.now = NOON + timedelta(minutes=minute)
        await requests.read(ReadWording(wording_id=kept.wording_id, by=by))
    listed = await requests.list(ListWordings())
    [shown] = listed.wordings
    assert [(r.by, r.at.minute) for r in shown.receipts] == [("015", 1), ("008", 2)]
    assert shown.model_copy(update={"receipts": ()}) == kept
    assert listed.number == first.number, "a receipt changes nothing that is searched"

    gone = (await requests.withdraw(WithdrawWording(wording_id=kept.wording_id, by="b02"))).wording
    again = (await requests.withdraw(WithdrawWording(wording_id=kept.wording_id, by="b03"))).wording
    assert gone == again
    assert gone.withdrawn_at == clock.now
    assert await stand(requests) == []
    after = await store.since(first.number)
    assert (after.ids, after.number) == ((about,), first.number + 1)
    # Read too late: it is left as it is, and said again it may be announced anew.
    late = await requests.read(ReadWording(wording_id=kept.wording_id, by="009"))
    assert "009" not in {r.by for r in late.wording.receipts}
    await requests.announce(asked(region="云岭县"))
    past = (await requests.list(ListWordings(past=True))).wordings
    assert [w.withdrawn_at is None for w in past] == [True, False]


async def test_one_ends_by_its_time_and_one_process_alone_says_so(
    requests: WordingRequests, store: Store, clock: Clock
) -> None:
    await requests.announce(asked("一小时", until=NOON + timedelta(hours=1)))
    await requests.announce(asked("一直"))
    wordings = WordingStore(store.database)
    assert await wordings.next_end(NOON) == NOON + timedelta(hours=1)
    assert not await wordings.end(NOON)
    clock.now = NOON + timedelta(hours=1)
    assert await stand(requests) == ["一直"], "whether or not anybody has said so"
    number = await store.number()
    assert await wordings.end(clock.now)
    assert not await WordingStore(store.database).end(clock.now)
    assert await store.number() == number + 1
    assert await wordings.next_end(clock.now) is None


async def test_more_than_anybody_keeps_in_mind_are_refused(requests: WordingRequests) -> None:
    for number in range(MOST_STANDING):
        await requests.announce(asked(f"话题 {number}"))
    with pytest.raises(RequestFailed, match="withdraw one first"):
        await requests.announce(asked("又一个"))
    assert len(await stand(requests)) == MOST_STANDING


async def test_what_nobody_knows_and_what_is_not_open_are_said_so(
    requests: WordingRequests, tmp_path: Path
) -> None:
    for ask in (
        requests.withdraw(WithdrawWording(wording_id="w0", by="b01")),
        requests.read(ReadWording(wording_id="w0", by="015")),
    ):
        with pytest.raises(RequestFailed) as caught:
            await ask
        assert caught.value.problem.code == "not_found"
    closed = WordingRequests(TREE)
    with pytest.raises(RequestFailed) as caught:
        await closed.list(ListWordings())
    assert caught.value.problem.code == "unavailable"
    closed.use(WordingStore(Database(tmp_path / "no" / "such" / "knowledge.db")))
    with pytest.raises(RequestFailed) as caught:
        await closed.list(ListWordings())
    assert caught.value.problem.code == "unavailable"
