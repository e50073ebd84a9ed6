"""Hears every event of its site and the live partials; shows them; says feedback and commands."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from services.common.bus import Bus
from services.common.failure import CannotStart, CannotStartYet, may_pass
from services.common.listener import bind, serving
from services.common.service import Service
from services.common.settings import prepare_directory
from services.desk.accounts import DATABASE, Accounts
from services.desk.announcing import Announcing
from services.desk.board import Board
from services.desk.commands import Commands
from services.desk.follow import Follower
from services.desk.hearing import Hearing, kept_subjects, tally_subjects
from services.desk.kb_files import KbFiles
from services.desk.kb_routes import KbRoutes
from services.desk.knowledge_state import KnowledgeState
from services.desk.pages import Pages
from services.desk.recall import Recall
from services.desk.settings import Settings
from services.desk.sockets import QUEUE
from services.desk.tally import Tally, midnight
from services.desk.used import count_used
from services.desk.web import Web

MAX_MESSAGE_BYTES = 16 * 1024
"""Largest message a page may send."""


def create_app(settings: Settings) -> Service:
    """The desk as a service."""
    service = Service("desk", settings)
    messages = service.queues.add("page_messages", QUEUE)
    data_dir = prepare_directory(settings.data_dir)
    board = Board()
    tally = Tally(settings.local_time)
    pages = Pages(board, tally)
    count_used(service, board)

    @asynccontextmanager
    async def desk(bus: Bus) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            try:
                opening = Accounts.open(data_dir, settings.desk.session_hours)
                accounts = await stack.enter_async_context(opening)
            except (SQLAlchemyError, sqlite3.Error) as error:
                if may_pass(error):
                    reason = getattr(error, "orig", None) or error
                    raise CannotStartYet(
                        f"{data_dir / DATABASE} cannot be used at the moment ({reason})"
                    ) from None
                raise CannotStart(
                    f"cannot use {data_dir / DATABASE} ({type(error).__name__}): "
                    "restore it, or move it away and add the accounts again with `banxi users`"
                ) from None
            now = datetime.now(UTC)
            hearing = Hearing(bus, pages, tally, service.log)
            look_back = now - timedelta(hours=settings.desk.look_back_hours)
            since_midnight = midnight(now, settings.local_time)
            calls = Follower(
                bus.js, kept_subjects(settings.site), look_back, hearing.kept, service.log
            )
            counts = Follower(
                bus.js, tally_subjects(settings.site), since_midnight, hearing.counted, service.log
            )
            announcing = Announcing(bus, accounts, pages, service.log)
            web = Web(
                accounts,
                pages,
                Commands(bus, board, announcing),
                (KbRoutes(accounts, bus), KbFiles(accounts, bus)),
                ready=hearing.ready,
                hears=lambda: bus.client.is_connected,
                session_hours=settings.desk.session_hours,
                tls=settings.desk.behind_tls,
            )
            service.figures_of = lambda: {
                "calls_on_board": float(len(board)),
                "pages": float(web.open_pages),
            }
            messages.depth, messages.dropped = lambda: web.most_waiting, lambda: web.pages_dropped
            taken = bind(settings.host, settings.desk.port, "BANXI_DESK__PORT")
            stack.callback(taken.close)
            await stack.enter_async_context(calls.running(service.fail))
            await stack.enter_async_context(counts.running(service.fail))
            await stack.enter_async_context(hearing.running(calls.caught_up, service.fail))
            recall = Recall(bus, pages, service.log)
            await stack.enter_async_context(recall.running(hearing.ready, service.fail))
            await stack.enter_async_context(announcing.running(service.fail))
            state = KnowledgeState(bus, pages)
            await stack.enter_async_context(state.running(hearing.ready, service.fail))
            await stack.enter_async_context(
                serving(web.app, taken, service.fail, max_message=MAX_MESSAGE_BYTES)
            )
            yield

    service.lives_with(desk)
    return service
