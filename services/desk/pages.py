"""Which page shows which call: keeps every page's feed in step with the board."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from contracts.base import Event
from services.desk import agent_page, shift_page, wall_page
from services.desk.board import Board, has_tile, is_quiet
from services.desk.call_view import CallView
from services.desk.feed import Feed
from services.desk.tally import Tally
from services.desk.wordings import Wordings


class Pages:
    """The board's feeds: one for the wall, one for each agent; and the knowledge editors'. Silent
    until `open`: what is read again after a restart is folded, not told."""

    def __init__(self, board: Board, tally: Tally) -> None:
        self.board = board
        self.tally = tally
        self.epoch = uuid4().hex
        self.wall = Feed(self.epoch)
        self.editors = Feed(self.epoch)
        self._agents: dict[str, Feed] = {}
        self._wordings = Wordings()
        self._knowledge = ""
        self._changes = 0
        self._open = False

    def agent(self, agent_id: str) -> Feed:
        """The feed of an agent's page."""
        if agent_id not in self._agents:
            self._agents[agent_id] = Feed(self.epoch)
            self._show_wordings_to(agent_id)
            self._agents[agent_id].figures({"knowledge": self._knowledge, "base": self._changes})
        return self._agents[agent_id]

    def show_knowledge(self, sentence: str) -> None:
        """Tell the agents' pages how the knowledge base is; nothing where all is well."""
        self._knowledge = sentence
        for feed in self._agents.values():
            feed.figures({"knowledge": sentence})

    def base_changed(self) -> None:
        """Tell the pages that show entries that these may count differently now."""
        self._changes += 1
        for feed in (self.editors, *self._agents.values()):
            feed.figures({"base": self._changes})

    def show_wordings(self, wordings: Wordings) -> None:
        """Tell every page which agreed wordings stand now."""
        self._wordings = wordings
        self.wall.figures({"wordings": wordings.for_wall(), "places": wordings.places()})
        for agent_id in self._agents:
            self._show_wordings_to(agent_id)

    def take(self, event: Event, now: datetime) -> CallView:
        """Fold an event and tell the pages that show its call."""
        view = self.board.take(event)
        if self._open:
            self._show(view, now, order_changed=event.event in ("started", "ended"))
        return view

    def know_earlier(self, call_id: str, calls: int, now: datetime) -> None:
        """Note how many calls the same number made before, and tell it."""
        view = self.board.know_earlier(call_id, calls)
        if view is not None and self._open:
            self._show(view, now, order_changed=False)

    def adopt(self, views: Iterable[CallView], now: datetime) -> None:
        """Take in ended calls that were read again; the wall has theirs with the next tick."""
        agents = set()
        for view in views:
            self.board.adopt(view)
            if view.agent_id:
                agents.add(view.agent_id)
        for agent_id in agents:
            self._show_agent(agent_id, now)

    def open(self, now: datetime) -> None:
        """All that happened before is folded: begin to tell."""
        self.board.forget(now)
        self._open = True
        self.tick(now)
        for agent_id in self.board.agents():
            self._show_agent(agent_id, now)

    def tick(self, now: datetime) -> None:
        """What only time changes, about once a second: who leaves, who went quiet, the numbers."""
        if not self._open:
            return
        for view in self.board.forget(now):
            if view.agent_id:
                self._show_agent(view.agent_id, now)
        on_wall = self.board.on_wall(now)
        for view in on_wall:
            if view.call_id not in self.wall.calls or view.ended_at is not None:
                self._show_wall(view, now)
            elif is_quiet(view, now):
                self._show(view, now, order_changed=False)
        for call_id in self.wall.calls - {view.call_id for view in on_wall}:
            self.wall.hide(call_id)
        figures = self.board.figures(now)
        phrases, calls = self.tally.counts(now)
        self.wall.figures(
            {
                "live": figures.live,
                "to_handle": figures.to_handle,
                "phrases": phrases,
                "calls": calls,
                "delay": figures.delay_p95_ms,
            }
        )

    def _show(self, view: CallView, now: datetime, *, order_changed: bool) -> None:
        if view.agent_id is None:
            return
        if order_changed:
            self._show_agent(view.agent_id, now)
        else:
            if view.call_id in self.agent(view.agent_id).calls:
                self._agent_call(view, now)
            if view.ended_at is not None:
                self._show_ended(view.agent_id, now)
        if view.call_id in self.wall.calls or view.live:
            self._show_wall(view, now)

    def _show_agent(self, agent_id: str, now: datetime) -> None:
        feed = self.agent(agent_id)
        own = self.board.of_agent(agent_id, now)
        for view in own:
            self._agent_call(view, now)
        for call_id in feed.calls - {view.call_id for view in own}:
            feed.hide(call_id)
        self._show_ended(agent_id, now)

    def _show_ended(self, agent_id: str, now: datetime) -> None:
        rows = [shift_page.row(view) for view in self.board.ended_of(agent_id, now)]
        self.agent(agent_id).figures({"ended": rows})

    def _show_wordings_to(self, agent_id: str) -> None:
        told = {"wordings": self._wordings.for_agent(agent_id), "places": self._wordings.places()}
        self._agents[agent_id].figures(told)

    def _agent_call(self, view: CallView, now: datetime) -> None:
        assert view.agent_id is not None
        sections = agent_page.sections(view, quiet=is_quiet(view, now))
        self.agent(view.agent_id).show(view.call_id, sections, view.lines)

    def _show_wall(self, view: CallView, now: datetime) -> None:
        sections = wall_page.sections(view, quiet=is_quiet(view, now), tile=has_tile(view, now))
        self.wall.show(view.call_id, sections)
