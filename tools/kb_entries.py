"""`banxi kb` for editors: show an entry, draft, decide, withdraw, and see what there is to do."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.events import why
from contracts.requests import (
    DecideDraft,
    Deed,
    DiscardDraft,
    DraftEntry,
    EntriesListed,
    EntryDetail,
    EntryFields,
    Filter,
    ListEntries,
    ReadEntry,
    Reply,
    Request,
    WithdrawEntry,
)
from services.common.bus import RequestFailed
from services.common.failure import CannotStart
from services.common.settings import load
from services.knowledge.settings import Settings
from tools.kb_access import Knowledge, reach_knowledge

T = TypeVar("T")
R = TypeVar("R", bound=Reply)

console = Console(highlight=False, soft_wrap=True)
EntryId = Annotated[str, typer.Argument(help="Id of the entry.")]
By = Annotated[str | None, typer.Option(help="Who does it; default: your login name.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the history.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]
TODO: tuple[tuple[Filter, str], ...] = (
    ("undecided", "drafts that wait for another person (banxi kb decide)"),
    ("reported", "answers that agents called wrong or outdated"),
    ("expiring", "answers that end within 30 days"),
)


def register(app: typer.Typer) -> None:
    """Put the commands under `banxi kb`."""
    for command in (show, draft, decide, discard, withdraw, history, todo):
        app.command()(command)


def show(entry_id: EntryId) -> None:
    """Show an entry: what counts today, what is scheduled, what awaits a decision."""
    _print(_run(lambda kb: _read(kb, entry_id)))


def draft(
    entry_id: Annotated[
        str | None, typer.Argument(help="The entry that is to change; left out: a new one.")
    ] = None,
    question: Annotated[str | None, typer.Option(help="The question in official wording.")] = None,
    answer: Annotated[str | None, typer.Option(help="The answer.")] = None,
    department: Annotated[str | None, typer.Option(help="Who answers for it.")] = None,
    region: Annotated[str | None, typer.Option(help="A region of the table of regions.")] = None,
    similar: Annotated[
        list[str] | None, typer.Option(help="Another wording of the question; may be repeated.")
    ] = None,
    valid_from: Day = None,
    valid_to: Day = None,
    document: Annotated[str | None, typer.Option(help="The document it rests on.")] = None,
    version: Annotated[str | None, typer.Option(help="Its version, as you count.")] = None,
    liaison: Annotated[str | None, typer.Option(help="联络员 of the department.")] = None,
    phone: Annotated[str | None, typer.Option(help="The department's telephone.")] = None,
    intake: Annotated[
        str | None, typer.Option(help="投诉, 举报, 建议, 基础信息查询 or 业务咨询.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be repeated.")] = None,
    confidential: Annotated[
        bool | None, typer.Option(help="The answer is for no caller's ears.")
    ] = None,
    by: By = None,
) -> None:
    """Draft a new entry, or what an entry is to become. Nothing changes for agents until another
    person decides on it (`banxi kb decide`).

    What is not given stays as it is. An empty text ("") clears a field.
    """
    given: dict[str, Any] = {
        "question": question,
        "answer": answer,
        "department": department,
        "region": region,
        "similar": similar,
        "valid_from": valid_from.date() if valid_from else None,
        "valid_to": valid_to.date() if valid_to else None,
        "document": document,
        "version": version,
        "liaison": liaison,
        "phone": phone,
        "intake": intake,
        "tags": tag,
        "confidential": confidential,
    }
    given = {name: value for name, value in given.items() if value is not None}

    async def write(kb: Knowledge) -> EntryDetail:
        before: dict[str, Any] = {}
        revision = 0
        if entry_id is not None:
            there = await _read(kb, entry_id)
            revision = there.revision
            base = there.draft or there.scheduled or there.in_force or there.latest
            before = base.model_dump() if base else {}
        fields = EntryFields.model_validate(before | given)
        return await _ask(
            kb,
            DraftEntry(entry_id=entry_id, revision=revision, fields=fields, by=_by(by)),
            EntryDetail,
        )

    written = _run(write)
    console.print(
        f"{written.entry_id}: draft {written.revision} is kept; another person decides on it: "
        f"banxi kb decide {written.entry_id} answer",
        markup=False,
    )


def decide(
    entry_id: EntryId,
    decision: Annotated[
        Literal["answer", "transfer", "refused"],
        typer.Argument(
            help="answer: it may be given · transfer: calls are transferred · refused: put away."
        ),
    ],
    from_day: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day it counts; default: now."),
    ] = None,
    reason: Reason = "",
    by: By = None,
    revision: Annotated[
        int | None,
        typer.Option(help="The draft you have seen (banxi kb show); default: you are asked."),
    ] = None,
) -> None:
    """Decide on a draft: another person than the one who wrote it (four eyes)."""

    async def act(kb: Knowledge) -> EntryDetail:
        seen = revision
        if seen is None:
            there = await _read(kb, entry_id)
            seen = there.revision
            if there.draft is not None:
                _print(there)
                await asyncio.to_thread(typer.confirm, f"{decision}?", abort=True)
        return await _ask(
            kb,
            DecideDraft(
                entry_id=entry_id,
                revision=seen,
                decision=decision,
                from_day=from_day.date() if from_day else None,
                by=_by(by),
                reason=reason,
            ),
            EntryDetail,
        )

    _say(_run(act))


def discard(entry_id: EntryId, by: By = None) -> None:
    """Put an own draft away."""

    async def act(kb: Knowledge) -> EntryDetail:
        seen = (await _read(kb, entry_id)).revision
        return await _ask(
            kb, DiscardDraft(entry_id=entry_id, revision=seen, by=_by(by)), EntryDetail
        )

    _say(_run(act))


def withdraw(
    entry_id: EntryId,
    reason: Annotated[str, typer.Option(help="Why; kept in the history.")],
    absent: Annotated[
        bool, typer.Option("--absent", help="As if it had never been; default: calls go on to "
                           "the department.")
    ] = False,
    by: By = None,
) -> None:  # fmt: skip
    """Take an answer back, everywhere and at once. It returns by a new draft alone."""
    becomes: Literal["transfer", "absent"] = "absent" if absent else "transfer"
    _say(
        _run(
            lambda kb: _ask(
                kb,
                WithdrawEntry(entry_id=entry_id, becomes=becomes, by=_by(by), reason=reason),
                EntryDetail,
            )
        )
    )


def history(entry_id: EntryId) -> None:
    """Show who did what to an entry, newest first, with what was changed."""
    for deed in _run(lambda kb: _read(kb, entry_id)).history:
        console.print(_line(deed), markup=False)
        for field, before, after in deed.changes:
            console.print(f"    {field}: {before or '—'} → {after or '—'}", markup=False)


def todo() -> None:
    """List what waits for an editor: drafts, answers that agents reported, answers that end."""

    async def ask(kb: Knowledge) -> list[EntriesListed]:
        return [
            await _ask(kb, ListEntries(show=name, limit=200), EntriesListed) for name, _ in TODO
        ]

    lists = _run(ask)
    for (_, title), listed in zip(TODO, lists, strict=True):
        if not listed.total:
            continue
        table = Table("id", "question", "drafted by", "ends", "wrong", "outdated", box=None)
        for line in listed.entries:
            ends = line.valid_to.isoformat() if line.valid_to else ""
            table.add_row(
                escape(line.entry_id),
                escape(line.question),
                escape(line.drafted_by or ""),
                ends,
                str(line.wrong),
                str(line.outdated),
            )
        console.print(f"{listed.total} {title}")
        console.print(table)
    if not any(listed.total for listed in lists):
        console.print("nothing waits")


def _by(name: str | None) -> str:
    return name if name is not None else getpass.getuser()


async def _read(kb: Knowledge, entry_id: str) -> EntryDetail:
    return await _ask(kb, ReadEntry(entry_id=entry_id), EntryDetail)


async def _ask(kb: Knowledge, request: Request, reply: type[R]) -> R:
    return await kb.ask(request, reply)


def _run(ask: Callable[[Knowledge], Awaitable[T]]) -> T:
    """Ask whoever answers; what cannot be done is one sentence and exit code 1."""

    async def run() -> T:
        async with reach_knowledge(load(Settings), searching=False) as kb:
            return await ask(kb)

    try:
        return asyncio.run(run())
    except (CannotStart, RequestFailed) as error:
        _fail(str(error))
    except ValidationError as error:
        _fail(why(error))


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)


def _say(detail: EntryDetail) -> None:
    begins = f" from {detail.scheduled_from}" if detail.scheduled_from else ""
    console.print(f"{detail.entry_id}: {detail.standing}{begins}", markup=False)


def _print(detail: EntryDetail) -> None:
    _say(detail)
    parts: tuple[tuple[str, EntryFields | None], ...] = (
        (f"in force · authorised by {detail.authorised_by or '未记录'}", detail.in_force),
        (f"from {detail.scheduled_from}", detail.scheduled),
        (f"draft {detail.revision} by {detail.drafted_by}", detail.draft),
        ("was", detail.latest),
    )
    for title, fields in parts:
        if fields is None:
            continue
        console.print(f"[{title}]", markup=False)
        for name, value in fields.model_dump(mode="json").items():
            if value:
                text = "; ".join(value) if isinstance(value, list) else str(value)
                console.print(f"    {name}: {text}", markup=False)
    said = f"agents: used {detail.used}, wrong {detail.wrong}, outdated {detail.outdated}"
    console.print(said)
    if detail.history:
        console.print(f"last: {_line(detail.history[0])}", markup=False)


def _line(deed: Deed) -> str:
    why_ = f" · {deed.reason}" if deed.reason else ""
    return f"{deed.at:%Y-%m-%d %H:%M}Z  {deed.act} {deed.revision} by {deed.by}{why_}"
