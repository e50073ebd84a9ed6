"""The settings' reference says what the models say."""

from __future__ import annotations

import pytest

from services.common.settings import NAMES
from tools.settings_reference import DOCUMENT, document, names, reference

pytestmark = pytest.mark.unit


def test_the_document_is_fresh() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_the_names_services_know_are_fresh() -> None:
    assert NAMES.read_text(encoding="utf-8") == names()


def test_every_setting_says_what_it_means() -> None:
    silent = [name for rows in reference().values() for name, _, meaning in rows if not meaning]
    assert silent == []
