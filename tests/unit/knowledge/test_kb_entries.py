"""`banxi kb draft`, `decide`, `withdraw` … on a data directory, no service running."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.conftest import free_port
from tools.kb_entries import register

pytestmark = pytest.mark.unit

RUN = CliRunner()
NEW = (
    *("draft", "--question", "残疾证怎么办理", "--answer", "到户籍所在地残联办理。"),
    *("--department", "市残联", "--region", "临江市", "--similar", "办残疾证", "--by", "甲"),
)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANXI_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BANXI_NATS_URL", f"nats://127.0.0.1:{free_port()}")
    (tmp_path / "knowledge.db").touch()


def kb(*arguments: str, typed: str | None = None) -> tuple[int, str]:
    app = typer.Typer()
    register(app)
    result = RUN.invoke(app, arguments, input=typed)
    return result.exit_code, result.output


def test_an_entry_from_draft_to_withdrawal() -> None:
    code, out = kb(*NEW)
    assert (code, out.split(":")[0]) == (0, "k1")
    assert "1 drafts that wait for another person" in kb("todo")[1]
    assert kb("decide", "k1", "answer", "--by", "甲", "--revision", "1") == (
        1,
        "起草人不能授权自己的草稿：请由另一位采编员授权\n",
    )
    code, out = kb("decide", "k1", "answer", "--by", "乙", typed="n\n")
    assert code == 1
    assert "answer: 到户籍所在地残联办理。" in out
    assert kb("decide", "k1", "answer", "--by", "乙", "--revision", "1") == (0, "k1: answer\n")
    # What is not given stays as it was.
    assert kb("draft", "k1", "--phone", "12385", "--by", "甲")[0] == 0
    assert kb(
        "decide", "k1", "answer", "--from", "2099-01-01", "--by", "乙", "--revision", "2"
    ) == (
        0,
        "k1: answer from 2099-01-01\n",
    )
    code, out = kb("show", "k1")
    assert "in force · authorised by 乙" in out
    assert "    phone: 12385" in out
    assert kb("withdraw", "k1", "--absent", "--reason", "有误", "--by", "丙") == (
        0,
        "k1: withdrawn\n",
    )
    assert kb("todo") == (0, "nothing waits\n")
    code, out = kb("history", "k1")
    assert [line.split()[2] for line in out.splitlines() if not line.startswith(" ")] == [
        "withdrawn", "authorised", "drafted", "authorised", "drafted",
    ]  # fmt: skip
    assert "    phone: — → 12385" in out


def test_what_is_wrong_is_one_sentence() -> None:
    assert kb("show", "k9") == (1, "没有这一条：可能编号写错了\n")
    code, out = kb("draft", "--question", "残疾证怎么办理")
    assert code == 1
    assert out.count("\n") == 1
    assert "department" in out
    assert kb(*NEW)[0] == 0
    assert kb("discard", "k1", "--by", "乙")[0] == 1
    assert kb("discard", "k1", "--by", "甲") == (0, "k1: draft\n")
