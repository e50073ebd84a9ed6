"""Numbered messages: whoever comes back has missed nothing and gets nothing twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.desk.call_view import Line
from services.desk.feed import Feed

pytestmark = pytest.mark.unit


class Client:
    """A page as it behaves in the browser."""

    def __init__(self) -> None:
        self.epoch, self.last = "", 0
        self.calls: dict[str, Any] = {}
        self.seen: list[int] = []

    def take(self, text: str) -> None:
        message = json.loads(text)
        if message["type"] == "snapshot":
            self.epoch, self.last, self.calls = message["epoch"], message["n"], message["calls"]
            return
        assert message["n"] == self.last + 1
        self.last = message["n"]
        self.seen.append(message["n"])
        if "gone" in message:
            del self.calls[message["gone"]]
        elif "call" in message:
            call = self.calls.setdefault(message["call"], {"set": {}, "lines": {}})
            call["set"] |= message.get("set", {})
            call["lines"] |= message.get("lines", {})


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("show"), st.sampled_from("ab"), st.integers(0, 3)),
        st.tuples(st.just("say"), st.sampled_from("ab"), st.integers(0, 5)),
        st.tuples(st.just("hide"), st.sampled_from("ab"), st.just(0)),
        st.tuples(st.sampled_from(["leave", "come"]), st.just(""), st.just(0)),
    ),
    max_size=60,
)


@given(ACTIONS, st.integers(1, 8))
def test_a_page_that_comes_and_goes_ends_where_a_fresh_one_does(
    actions: list[tuple[str, str, int]], keep: int
) -> None:
    feed, client, attached = Feed("run", keep=keep), Client(), False
    for action, call, number in [*actions, ("come", "", 0)]:
        if action == "show":
            feed.show(call, {"clock": number})
        elif action == "say":
            feed.show(call, {}, (Line("caller", number, number + 1, f"第 {number} 句"),))
        elif action == "hide":
            feed.hide(call)
        elif action == "leave":
            feed.detach(client.take)
            attached = False
        elif not attached:
            for text in feed.attach(client.take, client.epoch, client.last):
                client.take(text)
            attached = True
    fresh = Client()
    for text in feed.attach(fresh.take, "", 0):
        fresh.take(text)
    assert client.calls == fresh.calls
    assert client.last == fresh.last == feed.number
    assert client.seen == sorted(set(client.seen))


def test_what_did_not_change_is_not_told() -> None:
    feed, told = Feed("run"), list[str]()
    feed.attach(told.append, "", 0)
    line = Line("caller", 0, 1_000, "喂")
    feed.show("a", {"clock": 1, "type": None}, (line,))
    feed.show("a", {"clock": 2, "type": None}, (line,))
    feed.show("a", {"clock": 2, "type": None}, (line,))
    assert [json.loads(text).get("set") for text in told] == [
        {"clock": 1, "type": None},
        {"clock": 2},
    ]


def test_numbers_of_another_run_mean_nothing() -> None:
    feed = Feed("this run")
    feed.show("a", {"clock": 1})
    [text] = feed.attach(print, "another run", 1)
    assert json.loads(text)["type"] == "snapshot"
