from __future__ import annotations

from pathlib import Path

import pytest

from services.common.datafiles import DataFileError
from services.conduct.books import DATA, load_phrases, load_waiting
from services.conduct.phrases.wording import parse

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]


def test_all_rules_of_the_list_are_there_with_its_wording() -> None:
    lines = (ROOT / "eval_data" / "rules.csv").read_text(encoding="utf-8").splitlines()[1:]
    listed = {line.split(",")[0]: line.split(",")[1:] for line in lines}
    ours = {r.id: [r.canonical, str(r.group), r.source] for r in load_phrases().rules.values()}
    assert ours == listed


def changed(tmp_path: Path, name: str, old: str, new: str) -> Path:
    text = (DATA / name).read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path = tmp_path / name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("id: dont-ramble", "id: impossible", ["phrases.yaml", "impossible", "id"]),
        ("canonical: 急什么", "canonical: ''", ["whats-the-hurry", "canonical"]),
        ("source: A12", "source: Z9", ["phrases.yaml", "what-is-it", "source"]),
        ("- 什么事[你|]", "- 什么事[你|", ["what-is-it", "wordings", "brackets"]),
        ("- 什么事[你|]", "- '[什么|]#", ["phrases.yaml"]),
        ("severity: medium", "severity: huge", ["what-is-it", "severity"]),
        ("    severity: medium", "    gravity: medium", ["what-is-it"]),
        ("rules:", "rules: [", ["phrases.yaml", "line"]),
    ],
)
def test_a_mistake_in_the_phrases_is_named(
    tmp_path: Path, old: str, new: str, named: list[str]
) -> None:
    with pytest.raises(DataFileError) as error:
        load_phrases(changed(tmp_path, "phrases.yaml", old, new))
    for part in named:
        assert part in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("silence_alarm_s: 8 ", "silence_alarm_s: 4 ", ["times", "silence_alarm_s"]),
        ("hold_limit_s: 30", "hold_limit_s: long", ["times", "hold_limit_s"]),
        ("  interruption:", "  chatting:", ["warnings"]),
    ],
)
def test_a_mistake_in_the_waiting_file_is_named(
    tmp_path: Path, old: str, new: str, named: list[str]
) -> None:
    with pytest.raises(DataFileError) as error:
        load_waiting(changed(tmp_path, "waiting.yaml", old, new))
    for part in named:
        assert part in str(error.value)


def test_a_missing_file_and_a_wrong_time_of_the_site() -> None:
    with pytest.raises(DataFileError, match=r"nowhere\.yaml: cannot be read"):
        load_phrases(Path("nowhere.yaml"))
    with pytest.raises(DataFileError, match="the site's own times"):
        load_waiting(None, {"silence_alarm_s": 1.0})
    assert load_waiting(None, {"silence_alarm_s": 9.0}).times.ms("silence_alarm_s") == 9_000


@pytest.mark.parametrize(
    "written", ["", "呀", "[呀|]", "不要[啰|嗦", "a|b啰嗦", "^^什么", "很" * 60]
)
def test_wordings_that_are_none(written: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(written)
