"""The lists of this service that a non-programmer edits, checked when they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.common.service import CannotStart
from services.transcription.words import Inventions

_DATA = Path(__file__).parent / "data"
LEXICON = _DATA / "lexicon.yaml"
USUAL_WORDS = _DATA / "usual_words.yaml"
INVENTIONS = _DATA / "inventions.yaml"

# Shorter terms are not corrected: too many usual words sound like them.
Term = Annotated[str, StringConstraints(pattern=r"^[\u4e00-\u9fff]{3,8}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[\u4e00-\u9fff]{2,4}$")]
Line = Annotated[str, StringConstraints(min_length=2, strip_whitespace=True)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    version: Literal[1]


class _Lexicon(_File):
    terms: list[Term] = Field(min_length=1)


class _UsualWords(_File):
    words: list[Word]


class _Inventions(_File):
    whole: list[Line]
    containing: list[Line]


FileModel = TypeVar("FileModel", bound=_File)


def load_terms(path: Path = LEXICON) -> tuple[str, ...]:
    """The terms of a lexicon. Raises CannotStart naming file, entry and field."""
    terms = _load(path, _Lexicon).terms
    if double := next((term for term in terms if terms.count(term) > 1), None):
        raise CannotStart(f"{path}: terms, {double}: stands there twice")
    return tuple(terms)


def load_usual_words(path: Path = USUAL_WORDS) -> tuple[str, ...]:
    """Words no correction may cut in two. Raises CannotStart as above."""
    return tuple(_load(path, _UsualWords).words)


def load_inventions(path: Path = INVENTIONS) -> Inventions:
    """Lines Whisper makes up. Raises CannotStart as above."""
    held = _load(path, _Inventions)
    return Inventions(held.whole, held.containing)


def _load(path: Path, model: type[FileModel]) -> FileModel:
    try:
        return model.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except OSError as error:
        raise CannotStart(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise CannotStart(f"{path}{where}: this is not YAML in UTF-8") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ", entry ".join(
            str(part + 1) if isinstance(part, int) else part for part in first["loc"]
        )
        raise CannotStart(f"{path}: {field or 'file'}: {first['msg']}") from None
