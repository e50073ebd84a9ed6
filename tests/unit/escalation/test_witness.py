"""The second witness: what it learned raises signs, never red lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contracts.escalation import EscalationRaised
from services.common.datafiles import DataFileError
from services.common.heads import GramBlock, Head, save_heads
from services.common.written import read as read_text
from services.escalation.files import read
from services.escalation.policy import follow
from services.escalation.red_lines import Finder, RedLines
from services.escalation.rules import Rules
from services.escalation.settings import DATA
from services.escalation.view import CallView, Policy
from services.escalation.witness import HEAD, NONE, PLACE, About, Witness, load_witness
from tests.unit.escalation.scripts import says

pytestmark = pytest.mark.unit

LINES = read(DATA / "red_lines.yaml", RedLines)
KINDS = frozenset(line.id for line in LINES.red_lines)
ABOUT = About(version="v", suspect=0.9, suspect_kind={"self-harm": 0.6})


def witness(about: About = ABOUT) -> Witness:
    """One that knows the word 月亮 as self-harm, and 星星 as an accident; the rest speaks for
    nothing."""
    weights = np.array([[20.0, 0.0, 0.0], [0.0, 20.0, 0.0]], dtype=np.float32)
    block = GramBlock({"c月亮": 0, "c星星": 1}, weights)
    bias = np.array([-3.0, -3.0, 0.0], dtype=np.float32)
    none = np.zeros(3, dtype=np.float32)
    return Witness(
        about, Head(("self-harm", "serious-accident", NONE), {PLACE: block}, bias, {}, none)
    )


def test_it_points_to_the_heaviest_words_and_is_stricter_with_other_kinds() -> None:
    found = witness().suspects(read_text("今晚，去看月亮了"))
    assert found and (found.kind, found.start, found.end) == ("self-harm", 4, 6)
    assert 0.6 < found.probability < 0.9
    # As probable, but not of the kind where a miss costs most.
    assert witness().suspects(read_text("今晚，去看星星了")) is None
    assert witness().suspects(read_text("今晚")) is None is witness().suspects(read_text(""))


def test_it_gives_a_sign_only_where_no_word_of_the_list_stands() -> None:
    finder = Finder(LINES.red_lines, witness())
    (sign,) = finder.find("今晚去看月亮")
    assert sign.sign and sign.learned and (sign.line.id, sign.words) == ("self-harm", "月亮")
    (heard,) = finder.find("我想自杀，去看月亮")
    assert not heard.sign and not heard.learned
    # What a short pause cut off is read along, but does not count again.
    assert finder.find("去看月亮", beyond=4) == []


def test_what_it_suspects_is_shown_as_a_sign_in_the_name_of_its_version() -> None:
    policy = Policy(read(DATA / "policy.yaml", Rules), LINES, witness())
    final = says("今晚去看月亮", 1000)
    _, (raised,) = follow(CallView("c1", "s1"), final, policy)
    assert isinstance(raised, EscalationRaised)
    assert (raised.severity, raised.by.version) == ("urgent", "v")
    assert raised.evidence[0].words == "月亮" and "听起来像" not in raised.reason


def test_a_file_is_read_back_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "witness.npz"
    witness().save(path)
    text = read_text("去看月亮")
    assert load_witness(path, KINDS).suspects(text) == witness().suspects(text)
    with pytest.raises(DataFileError, match="is not the id of a red line"):
        load_witness(path, frozenset({"self-harm"}))
    save_heads(path, ABOUT, {"other": witness().head}, {})
    with pytest.raises(DataFileError, match="make it anew"):
        load_witness(path, KINDS)
    assert HEAD != "other"


def test_the_one_that_comes_with_the_service_hears_more_than_the_list() -> None:
    packaged = load_witness(DATA / "witness.npz", KINDS)
    listed, both = Finder(LINES.red_lines), Finder(LINES.red_lines, packaged)
    text = "江水今天真温柔，鞋子我摆好了，你们别再找我，我要去陪他"
    assert both.find(text)
    assert both.find("我想问一下医保卡丢了怎么补办") == [] == listed.find("医保卡怎么补办")
