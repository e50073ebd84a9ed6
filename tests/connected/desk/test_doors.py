"""Who comes in: no page and no socket without a session of the right account and role."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from services.common.bus import Bus
from services.common.failure import CannotStart
from services.desk.accounts import AccountError, Accounts
from services.desk.app import create_app
from services.desk.attempts import PER_ACCOUNT
from services.desk.settings import DeskSettings, Settings
from services.desk.sockets import SIGNED_OUT
from tests.conftest import free_port
from tests.connected.common.servers import living, readyz
from tests.connected.desk.running import RunningDesk, running_desk
from tests.until import until

pytestmark = pytest.mark.connected


async def refused(desk: RunningDesk, browser: httpx.AsyncClient, account: str, kind: str) -> bool:
    try:
        async with desk.page(browser, account, kind):
            return False
    except InvalidStatus as error:
        return error.response.status_code == 403


async def test_no_page_and_no_socket_without_a_session(desk: RunningDesk) -> None:
    await desk.links()
    async with desk.browser() as browser:
        for path in ("/as/a015", "/as/a015/desk", "/as/b01/wall"):
            answer = await browser.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert await refused(desk, browser, "a015", "desk")
        assert await refused(desk, browser, "b01", "wall")


async def test_each_role_has_its_own_page_only(desk: RunningDesk) -> None:
    async with desk.browser() as browser:
        await desk.enter(browser, "a015")
        assert (await browser.get("/as/a015/desk")).status_code == 200
        assert (await browser.get("/as/a015/wall")).status_code == 403
        assert await refused(desk, browser, "a015", "wall")
        assert (await browser.get("/as/a008/desk")).status_code == 303
        await desk.enter(browser, "b01")
        assert (await browser.get("/as/b01/wall")).status_code == 200
        assert (await browser.get("/as/b01/desk")).status_code == 403
        assert await refused(desk, browser, "b01", "desk")


async def test_a_cookie_opens_no_page_of_another_account(desk: RunningDesk) -> None:
    async with desk.browser() as browser:
        await desk.enter(browser, "a015")
        stolen = desk.cookie(browser, "a015")
    async with desk.browser() as browser:
        answer = await browser.get("/as/a008/desk", headers={"Cookie": stolen})
        assert answer.status_code == 303
        browser.cookies.set("banxi", stolen.partition("=")[2], path="/as/a008")
        assert await refused(desk, browser, "a008", "desk")


async def test_two_accounts_in_one_browser_do_not_disturb_each_other(desk: RunningDesk) -> None:
    async with desk.browser() as browser:
        await desk.enter(browser, "a008")
        await desk.enter(browser, "a015")
        await desk.enter(browser, "b01")
        pages = ("/as/a008/desk", "/as/a015/desk", "/as/b01/wall")
        assert [(await browser.get(page)).status_code for page in pages] == [200, 200, 200]
        async with desk.page(browser, "a015") as leaving, desk.page(browser, "a008") as staying:
            await (await leaving.hello()).next()
            await (await staying.hello()).next()
            await browser.post("/as/a015/sign-out")
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    await leaving.next()
            assert closed.value.rcvd and closed.value.rcvd.code == SIGNED_OUT
            assert (await staying.ask({"type": "nonsense"}))["ok"] is False
        assert [(await browser.get(page)).status_code for page in pages] == [200, 303, 200]


async def test_a_link_lets_in_once_and_looking_does_not_use_it_up(desk: RunningDesk) -> None:
    path = (await desk.links())["a015"]
    async with desk.browser() as browser, desk.browser() as other:
        assert "015" in (await browser.get(path)).text
        assert (await browser.get(path)).status_code == 200
        answers = await asyncio.gather(browser.post(path), other.post(path))
        assert sorted(answer.status_code for answer in answers) == [303, 410]
        assert (await browser.get(path)).status_code == 410
        cookie = next(a for a in answers if a.status_code == 303).headers["set-cookie"].lower()
        for part in ("httponly", "samesite=strict", "path=/as/a015"):
            assert part in cookie


async def test_only_our_own_pages_may_ask(desk: RunningDesk) -> None:
    path = (await desk.links())["a015"]
    async with desk.browser() as browser:
        await desk.enter(browser, "a015")
        for origin in ("http://evil.example", "null", ""):
            foreign = {"Origin": origin}
            assert (await browser.post(path, headers=foreign)).status_code == 403
            assert (await browser.post("/sign-in", headers=foreign)).status_code == 403
        assert (await browser.get("/as/a015/desk")).status_code == 200
        with pytest.raises(InvalidStatus):
            async with desk.page(browser, "a015", origin="http://evil.example"):
                pass


async def test_name_and_password(desk: RunningDesk) -> None:
    async with Accounts.open(desk.data_dir) as accounts:
        await accounts.add("li", "agent", "077", "correct horse")
        with pytest.raises(AccountError):
            await accounts.add("zhang", "agent", "077", "correct horse")
    async with desk.browser() as browser:
        good = {"name": "li", "password": "correct horse"}
        answer = await browser.post("/sign-in", data=good)
        assert answer.headers["location"] == "/as/li/desk"
        for _ in range(PER_ACCOUNT):
            answer = await browser.post("/sign-in", data={"name": "li", "password": "wrong"})
            assert (answer.status_code, "不对" in answer.text) == (401, True)
        assert (await browser.post("/sign-in", data=good)).status_code == 429
        answer = await browser.post("/sign-in", data={"name": "x" * 99, "password": "secret"})
        assert answer.status_code == 400
        assert "secret" not in answer.text


async def test_sessions_outlive_the_desk_and_end_with_a_new_password(
    nats_url: str, bus: Bus, tmp_path: Path
) -> None:
    async with running_desk(nats_url, bus.site, tmp_path) as desk, desk.browser() as browser:
        await desk.enter(browser, "a015")
        cookie = {"Cookie": desk.cookie(browser, "a015")}
    async with running_desk(nats_url, bus.site, tmp_path) as desk, desk.browser() as browser:
        assert (await browser.get("/as/a015/desk", headers=cookie)).status_code == 200
        async with Accounts.open(tmp_path) as accounts:
            await accounts.reset("a015", "a new password")
        assert (await browser.get("/as/a015/desk", headers=cookie)).status_code == 303


async def test_tokens_and_passwords_are_not_in_the_file(desk: RunningDesk) -> None:
    async with Accounts.open(desk.data_dir) as accounts:
        await accounts.add("li", "agent", "077", "correct horse")
    async with desk.browser() as browser:
        await desk.enter(browser, "a015")
        token = desk.cookie(browser, "a015").partition("=")[2]
        link = (await desk.links())["a015"].rpartition("/")[2]
    kept = b"".join(path.read_bytes() for path in desk.data_dir.glob("desk.db*"))
    assert b"a015" in kept
    for secret in (token, link, "correct horse"):
        assert secret.encode() not in kept


async def test_headers_and_static_files(desk: RunningDesk) -> None:
    async with desk.browser() as browser:
        for path in ("/", "/static/desk.js", "/nowhere", "/static/../app.py"):
            headers = (await browser.get(path)).headers
            assert "script-src 'self'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
        page = (await browser.get("/")).text
        assert "<script>" not in page and "style=" not in page and "http://" not in page
        assert (await browser.get("/docs")).status_code == 404


async def test_a_port_in_use_is_one_sentence(nats_url: str, bus: Bus, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"port {port} .* in use.*BANXI_DESK__PORT"):
            async with running_desk(nats_url, bus.site, tmp_path, port):
                pass


async def test_a_database_another_process_holds_is_waited_for(
    nats_url: str, bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.common.service.TRY_AGAIN_S", 0.1)
    settings = Settings(
        nats_url=nats_url,
        site=bus.site,
        data_dir=tmp_path,
        health_port=free_port(),
        desk=DeskSettings(port=free_port()),
    )
    other = sqlite3.connect(tmp_path / "desk.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    async with living(create_app(settings)) as port:
        said = await until(lambda: readyz(port), lambda said: "desk.db" in said.get("detail", ""))
        assert (said["status"], "database is locked" in said["detail"]) == (503, True)
        other.execute("ROLLBACK")
        await until(lambda: readyz(port), lambda said: said.get("ready"))
    other.close()


async def test_a_broken_database_is_one_sentence(nats_url: str, bus: Bus, tmp_path: Path) -> None:
    (tmp_path / "desk.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(CannotStart, match=r"desk\.db"):
        async with running_desk(nats_url, bus.site, tmp_path):
            pass
