"""Offices in real databases and in answers to requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.requests import (
    ImportOffices,
    ListOffices,
    Office,
    PutOffice,
    RemoveOffice,
)
from services.common.bus import RequestFailed
from services.knowledge.directory.requests import OfficeRequests
from services.knowledge.directory.store import OfficeStore
from services.knowledge.keeping.store import Store
from tests.unit.knowledge.bags import TREE

pytestmark = pytest.mark.connected

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)


def office(id_: str = "a", **fields: Any) -> Office:
    return Office.model_validate(
        {"office_id": id_, "name": "养老保险处", "region": "临江市", "phone": "0599-555-1"} | fields
    )


class Refreshed:
    """Counts how often the search state was brought up to date."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def refreshed() -> Refreshed:
    return Refreshed()


@pytest.fixture
def requests(store: Store, refreshed: Refreshed) -> OfficeRequests:
    requests = OfficeRequests(TREE, now=lambda: NOW)
    requests.use(OfficeStore(store.database), refreshed)
    return requests


async def test_what_is_written_is_listed_and_every_change_is_a_deed(
    requests: OfficeRequests, store: Store, refreshed: Refreshed
) -> None:
    kept = await requests.put(PutOffice(office=office(aliases=(" 社保局 ", "社保局")), by=" 编 "))
    assert kept.office is not None
    assert (kept.office.aliases, kept.office.updated_by) == (("社保局",), "编")
    assert kept.office.updated_at == NOW
    assert (await store.since(0)).ids == ("office:a",)
    number = await store.number()
    await requests.put(PutOffice(office=office(aliases=("社保局",)), by="另"))  # nothing new
    assert await store.number() == number
    assert (await requests.list(ListOffices(text="社保"))).total == 1
    assert (await requests.list(ListOffices(text="供水"))).total == 0
    assert (await requests.remove(RemoveOffice(office_id="a", by="编"))).office is None
    assert (await requests.list(ListOffices())).offices == ()
    assert (await store.since(number)).ids == ("office:a",)
    assert refreshed.times == 3


async def test_who_edited_what_another_has_changed_since_is_told(store: Store) -> None:
    times = iter(NOW + timedelta(microseconds=n) for n in range(9))
    requests = OfficeRequests(TREE, now=lambda: next(times))
    requests.use(OfficeStore(store.database), Refreshed())
    first = (await requests.put(PutOffice(office=office(), by="编"))).office
    assert first is not None
    one = PutOffice(office=office(phone="1"), seen=first.updated_at, by="甲")
    two = PutOffice(office=office(hours="9:00"), seen=first.updated_at, by="乙")
    kept = (await requests.put(one)).office
    # Its reply was lost and it is asked again: that overwrites nothing.
    assert (await requests.put(one)).office == kept
    with pytest.raises(RequestFailed, match="由 甲 改过") as failed:
        await requests.put(two)
    assert failed.value.problem.code == "conflict"
    assert (await requests.list(ListOffices())).offices == (kept,)
    assert kept is not None
    assert (await requests.put(two.model_copy(update={"seen": kept.updated_at}))).office is not None
    await requests.remove(RemoveOffice(office_id="a", by="丙"))
    with pytest.raises(RequestFailed, match="移除了"):
        await requests.put(two.model_copy(update={"seen": kept.updated_at}))
    assert (await requests.list(ListOffices())).total == 0


async def test_an_import_is_all_or_nothing_and_can_be_tried(
    requests: OfficeRequests, store: Store
) -> None:
    await requests.put(PutOffice(office=office("a"), by="编"))
    many = (office("a", phone="2"), office("b"), office("c"))
    tried = await requests.import_(ImportOffices(offices=many, by="编", dry_run=True))
    assert (tried.added, tried.changed, tried.unchanged) == (2, 1, 0)
    assert (await requests.list(ListOffices())).total == 1
    bad = (*many, office("d", region="月球"))
    with pytest.raises(RequestFailed) as failed:
        await requests.import_(ImportOffices(offices=bad, by="编"))
    assert failed.value.problem.field == "region"
    with pytest.raises(RequestFailed):
        await requests.import_(ImportOffices(offices=(office("e"), office("e")), by="编"))
    assert (await requests.list(ListOffices())).total == 1
    done = await requests.import_(ImportOffices(offices=many, by="编"))
    assert (done.added, done.changed, done.unchanged) == (2, 1, 0)
    assert (await requests.list(ListOffices(skip=1, limit=1))).offices[0].office_id == "b"


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"region": "月球"}, "region"), ({"phone": ""}, "phone"), ({"office_id": "a/b"}, "office_id")],
)
async def test_what_is_wrong_is_named(
    requests: OfficeRequests, fields: dict[str, str], field: str
) -> None:
    with pytest.raises(RequestFailed) as failed:
        await requests.put(PutOffice(office=office().model_copy(update=fields), by="编"))
    assert failed.value.problem.field == field
    with pytest.raises(RequestFailed) as failed:
        await requests.remove(RemoveOffice(office_id="nobody", by="编"))
    assert failed.value.problem.code == "not_found"
