"""Our Dockerfile is sound, and what is broken in it is found with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.deploy.commands import DOCKERFILE, ROOT, TARGETS
from tools.deploy.dockerfile import lint, read, understand

pytestmark = pytest.mark.unit


def test_nothing_is_wrong_with_ours() -> None:
    assert [str(finding) for finding in lint(DOCKERFILE, ROOT, TARGETS)] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("HEALTHCHECK", "HEALTHCHEK", "HEALTHCHEK is no instruction"),
        ("USER 10001:10001\n\nFROM", "USER root\n\nFROM", "target light must end as a numbered"),
        ("ENTRYPOINT", "CMD", "target models has no ENTRYPOINT"),
        (
            "COPY contracts contracts",
            "COPY contract contract",
            "copies contract, which is not there",
        ),
        ("COPY contracts contracts", "ADD contracts contracts", "say COPY"),
        ("--from=code", "--from=codes", "copies from codes, which is no earlier stage"),
        ("FROM ${BASE} AS python", "FROM python:3.11-slim AS python", "an ARG of the file"),
        ("BASE=python:3.11-slim", "BASE=python:latest", "name a version"),
        ("BASE=python", "BASE=registry.example/python", "BASE names a registry"),
        ("AS models\n", "AS model\n", "there is no target models"),
    ],
)
def test_what_is_broken_is_found(old: str, new: str, said: str, tmp_path: Path) -> None:
    text = DOCKERFILE.read_text()
    assert old in text
    file = tmp_path / "Dockerfile"
    file.write_text(text.replace(old, new))
    found = [str(finding) for finding in lint(file, ROOT, TARGETS)]
    assert any(said in finding and f"{file}: line " in finding for finding in found), found


def test_continued_lines_are_one_instruction() -> None:
    text = "FROM a AS b\nRUN one \\\n  # a remark\n  && two\n"
    (stage,) = understand(read(text)).stages
    assert [(i.line, i.name, i.rest) for i in stage.instructions] == [(2, "RUN", "one && two")]


def test_what_is_sent_to_the_builder_is_what_is_copied() -> None:
    sent = (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text().splitlines()
    allowed = [Path(line[1:]) for line in sent if line.startswith("!")]
    for stage in understand(read(DOCKERFILE.read_text())).stages:
        for instruction in stage.instructions:
            if instruction.name == "COPY" and "from" not in instruction.flags():
                for word in instruction.words()[:-1]:
                    assert any(Path(word).is_relative_to(path) for path in allowed), word
