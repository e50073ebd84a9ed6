"""The meaning head with the real embedding model: learned, used, and what the one of the service
makes of sentences nobody wrote down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.conduct.books import load_phrases, load_rules
from services.conduct.phrases.meaning import load_head
from services.embedding.encoder import load as load_encoder
from services.embedding.settings import EmbeddingSettings
from tools.cli import build

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PLACES = ["车管所", "社保局", "税务大厅", "街道办", "医保中心", "公积金中心"]
WHO = ["我哪儿晓得", "鬼才晓得", "天晓得", "谁晓得呀"]
PUSH = ["您找别人去", "您另请高明", "您问旁人去", "您上别处去"]
FINE = ["我马上替您查", "请带上身份证", "工作日都可以办", "材料齐全就行"]


def table(folder: Path, author: str, places: list[str], offences: dict[str, list[str]]) -> None:
    """An author's lines: each saying about each place."""
    lines = ["rule,kind,before,text,words"]
    for place in places:
        for rule, sayings in offences.items():
            lines += [f"{rule},para,,{place}的事{words},{words}" for words in sayings]
        lines += [f"none,plain,,{place}的事{words}," for words in FINE]
    (folder / f"{author}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def banxi(*arguments: str) -> Result:
    return CliRunner().invoke(build(list(arguments)), list(arguments))


def learn(folder: Path, out: Path, **offences: list[str]) -> Result:
    named = {rule.replace("_", "-"): sayings for rule, sayings in offences.items()}
    folder.mkdir()
    table(folder, "one", PLACES[:3], named)
    table(folder, "two", PLACES[3:], named)
    return banxi("train", "conduct", "--exemplars", str(folder), "--out", str(out))


@pytest.mark.parametrize("rules", [1, 2])
def test_a_head_is_learned_and_used(tmp_path: Path, rules: int) -> None:
    out = tmp_path / "own.npz"
    offences = {"how_would_i_know": WHO, "shirking": PUSH}
    result = learn(tmp_path / "tables", out, **dict(list(offences.items())[:rules]))
    assert result.exit_code == 0, result.output
    assert "all offences" in result.stdout
    head = load_head(out)
    assert head.about.rules == ("how-would-i-know", "shirking")[:rules]
    assert set(head.about.wordings) >= set(load_phrases().rules["shirking"].wordings)

    lines = [
        {"id": "1", "role": "agent", "text": "派出所的事天晓得", "cat": "para",
         "hits": [{"rule": "how-would-i-know", "words": "天晓得"}]},
        {"id": "2", "role": "agent", "text": "派出所的事我马上替您查", "cat": "plain", "hits": []},
    ]  # fmt: skip
    if rules == 2:
        third = {"id": "3", "text": "派出所的事您另请高明", "hits": [{"rule": "shirking"}]}
        lines.append(third | {"role": "agent", "cat": "para"})
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    for option in ([], ["--words-only"]):
        result = banxi("eval", "conduct", str(path), "--meaning", str(out), "--json", *option)
        assert result.exit_code == 0, result.output
        report = json.loads(result.stdout)
        assert report["errors"] == []
        assert report["baseline"]["recall"] == 0


def test_what_cannot_be_learned_from_is_told_at_once(tmp_path: Path) -> None:
    out = tmp_path / "own.npz"
    result = learn(tmp_path / "innocent", out)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "offences are needed" in result.stderr
    result = learn(tmp_path / "nowhere", tmp_path / "none" / "own.npz", shirking=PUSH)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "there is no folder" in result.stderr
    alone = tmp_path / "alone"
    alone.mkdir()
    table(alone, "one", PLACES, {"shirking": PUSH})
    result = banxi("train", "conduct", "--exemplars", str(alone), "--out", str(out))
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "two authors" in result.stderr
    assert not out.exists()


OFFENCES = [
    "我又不是神仙，这种事我上哪儿晓得去",
    "你问我，我上哪儿打听去",
    "你爱投诉就投诉去，谁怕谁呀",
    "你怎么没完没了的，真够烦人的",
    "这事别找我们，你自己想办法去",
]
POLITE = [
    "您好，这里是便民热线，很高兴为您服务",
    "请您稍等一下，我现在就帮您查询",
    "麻烦您报一下身份证号码，我核对一下信息",
    "您带上身份证和户口本到窗口办理就可以了",
    "这项业务一般需要三个工作日，办好会短信通知您",
    "您的心情我理解，我马上把情况反映给主管部门",
    "请问还有什么可以帮您的吗",
    "感谢您的来电，祝您生活愉快，再见",
]


def test_ours_hears_what_is_meant_and_leaves_good_agents_alone() -> None:
    rules = load_rules()
    encoder = load_encoder(EmbeddingSettings())
    assert encoder.id == rules.detector.model
    texts = [*OFFENCES, *POLITE]
    vectors = encoder.embed(texts, "query")
    fired = [
        text
        for text, vector in zip(texts, vectors, strict=True)
        if rules.detector.hits(text, vector=vector)
    ]
    assert fired == OFFENCES
