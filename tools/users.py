"""`banxi users`: who may sign in. Works on the data directory, whether or not Banxi runs."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from services.common.settings import ServiceSettings, load, prepare_directory
from services.desk.accounts import (
    MIN_PASSWORD,
    ROLES,
    Account,
    AccountError,
    AccountRole,
    Accounts,
)

T = TypeVar("T")

app = typer.Typer(
    help="Who may sign in to the desk: agents with a 工号, supervisors and knowledge editors.\n\n"
    "Works on the data directory (BANXI_DATA_DIR) directly, whether or not Banxi runs; "
    "a running desk knows at once.",
    no_args_is_help=True,
)

DEMO: tuple[tuple[str, AccountRole, str | None], ...] = (
    ("a008", "agent", "008"),
    ("a015", "agent", "015"),
    ("b01", "supervisor", None),
    ("k01", "editor", None),
    ("k02", "editor", None),
)
"""The demo's people: two agents, their supervisor, and two knowledge editors: what one drafts
only the other can authorise."""


@dataclass(frozen=True, slots=True)
class DemoLink:
    """A way in for the demo."""

    account: Account
    """Who it is for."""
    path: str
    """Path of the one-time link on the desk, for instance `/enter/…`."""


async def demo_links(data_dir: Path) -> list[DemoLink]:
    """See that the demo's accounts exist, and make a one-time sign-in link for each.

    Raises AccountError where a name is there with another role or 工号.
    """
    links = []
    async with Accounts.open(data_dir) as accounts:
        for name, role, agent_id in DEMO:
            account = await accounts.get(name)
            if account is None:
                # Nobody knows this password: the demo comes in by links.
                account = await accounts.add(name, role, agent_id, secrets.token_urlsafe(24))
            elif (account.role, account.agent_id) != (role, agent_id):
                raise AccountError(f"account {name} is there already, but not as in the demo")
            links.append(DemoLink(account, await accounts.new_link(name)))
    return links


@app.command("list")
def list_accounts() -> None:
    """Show all accounts."""
    everybody = _with(lambda accounts: accounts.all())
    if not everybody:
        print("No accounts yet. Add one: banxi users add NAME --role agent --id 015")
        return
    table = Table("name", "role", "工号", box=None)
    for account in everybody:
        table.add_row(account.name, account.role, account.agent_id or "—")
    Console().print(table)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Name to sign in with: letters, digits, _ and -.")],
    role: Annotated[
        str, typer.Option(help="agent (own calls), supervisor (wall) or editor (knowledge base).")
    ],
    agent_id: Annotated[
        str | None, typer.Option("--id", help="工号, for agents: as the exchange sends it.")
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask for a password instead of making one.")
    ] = False,
) -> None:
    """Add an account and show its password once."""
    known: dict[str, AccountRole] = {role: role for role in ROLES}
    if role not in known:
        _fail(f"unknown role {role}: use {', '.join(ROLES[:-1])} or {ROLES[-1]}")
    password = _password(ask)
    _with(lambda accounts: accounts.add(name, known[role], agent_id, password))
    _tell(name, password, ask)
    print(f"Or give out a one-time link: banxi users link {name}")


@app.command()
def reset(
    name: Annotated[str, typer.Argument(help="The account.")],
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask for a password instead of making one.")
    ] = False,
) -> None:
    """Set a new password. The account is signed out everywhere; its links no longer work."""
    password = _password(ask)
    _with(lambda accounts: accounts.reset(name, password))
    _tell(name, password, ask)


@app.command()
def remove(name: Annotated[str, typer.Argument(help="The account.")]) -> None:
    """Remove an account. Its open pages close within a quarter of a minute."""
    _with(lambda accounts: accounts.remove(name))
    print(f"Account {name} is gone.")


@app.command()
def link(
    name: Annotated[str, typer.Argument(help="The account.")],
    url: Annotated[
        str, typer.Option(help="Address of the desk as the browser sees it.")
    ] = "http://127.0.0.1:7700",
) -> None:
    """Print a sign-in link that works once, within 24 hours."""
    path = _with(lambda accounts: accounts.new_link(name))
    print(url.rstrip("/") + path)


def _with(work: Callable[[Accounts], Awaitable[T]]) -> T:
    data_dir = prepare_directory(load(ServiceSettings).data_dir)

    async def run() -> T:
        async with Accounts.open(data_dir) as accounts:
            return await work(accounts)

    try:
        return asyncio.run(run())
    except AccountError as error:
        _fail(str(error))
    except SQLAlchemyError as error:
        _fail(f"cannot use the accounts in {data_dir} ({type(error).__name__}): is the file whole?")
    raise AssertionError("unreachable")


def _password(ask: bool) -> str:
    if not ask:
        return secrets.token_urlsafe(9)
    prompt: Any = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    if len(prompt) < MIN_PASSWORD:
        _fail(f"a password has at least {MIN_PASSWORD} characters")
    return str(prompt)


def _tell(name: str, password: str, asked: bool) -> None:
    if asked:
        print(f"Account {name} is ready.")
    else:
        print(f"Account {name} is ready. Password (shown only now): {password}")


def _fail(sentence: str) -> None:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
