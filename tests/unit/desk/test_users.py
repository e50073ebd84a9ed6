"""`banxi users`, on a data directory of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.desk.accounts import Account, Accounts
from tools.users import DEMO, app, demo_links

pytestmark = pytest.mark.unit


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BANXI_DATA_DIR", str(tmp_path))
    return tmp_path


def users(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=typed)


def verified(data_dir: Path, name: str, password: str) -> Account | None:
    async def verify() -> Account | None:
        async with Accounts.open(data_dir) as accounts:
            return await accounts.verify(name, password)

    return asyncio.run(verify())


def test_an_account_from_adding_to_removing(data_dir: Path) -> None:
    assert "No accounts yet" in users("list").output
    added = users("add", "li", "--role", "agent", "--id", "077")
    password = added.output.partition("(shown only now): ")[2].split()[0]
    assert verified(data_dir, "li", password) == Account("li", "agent", "077")
    assert "077" in users("list").output
    asked = users("reset", "li", "--ask", typed="a long password\na long password\n")
    assert asked.exit_code == 0
    assert verified(data_dir, "li", password) is None
    assert verified(data_dir, "li", "a long password")
    link = users("link", "li", "--url", "https://desk.example/")
    assert link.output.startswith("https://desk.example/enter/")
    assert users("remove", "li").exit_code == 0
    assert verified(data_dir, "li", "a long password") is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "li", "--role", "agent"), "needs a 工号"),
        (("add", "li", "--role", "supervisor", "--id", "1"), "only agents have a 工号"),
        (("add", "li", "--role", "king"), "use agent, supervisor or editor"),
        (("add", "李", "--role", "supervisor"), "letters, digits"),
        (("add", "system", "--role", "supervisor"), "the system's own"),
        (("add", "b02", "--role", "supervisor"), "taken already"),
        (("reset", "nobody"), "there is no account nobody"),
        (("remove", "nobody"), "there is no account nobody"),
        (("link", "nobody"), "there is no account nobody"),
    ],
)
def test_mistakes_are_one_sentence(
    data_dir: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    users("add", "b02", "--role", "supervisor")
    result = users(*arguments)
    assert result.exit_code == 1
    assert sentence in result.output
    assert result.output.count("\n") == 1


async def test_the_demo_finds_its_people_again(tmp_path: Path) -> None:
    first, second = await demo_links(tmp_path), await demo_links(tmp_path)
    assert [link.account for link in first] == [Account(*person) for person in DEMO]
    assert {link.path for link in first}.isdisjoint(link.path for link in second)
