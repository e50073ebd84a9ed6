"""Manifests against the schemas of Kubernetes, of several versions, and of what a cluster may have
beside them. A field that is not in the schema is a mistake; so is a kind without a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry, Resource

from tools.deploy.findings import Finding
from tools.deploy.manifests import Manifest

VERSIONS = ("1.30", "1.37")
"""The oldest and the newest Kubernetes that ours are meant for."""
OWN = Path(__file__).parents[2] / "deploy" / "k8s" / "schemas"
"""Schemas of kinds that are not Kubernetes' own, GROUP_VERSION_KIND.json."""


class NoSuchVersion(ValueError):
    """There are no schemas of that version of Kubernetes. The message is one sentence."""


def check(manifest: Manifest, versions: Sequence[str], own: Path = OWN) -> Iterator[Finding]:
    """What is wrong with a manifest. Raises NoSuchVersion."""
    api = str(manifest.body.get("apiVersion"))
    beside = own / f"{api.replace('/', '_')}_{manifest.kind}.json".lower()
    if beside.is_file():
        yield from _judged(manifest, Draft202012Validator(json.loads(beside.read_text())), "")
        return
    for version in versions:
        validator = _validator(version, api, manifest.kind)
        if validator is None:
            yield Finding(
                manifest.file,
                str(manifest),
                f"kind {manifest.kind} of {api} is unknown to Kubernetes {version}; "
                f"if the cluster has it, put its schema into {beside.name}",
            )
        else:
            yield from _judged(manifest, validator, f" (Kubernetes {version})")


def _judged(manifest: Manifest, validator: Draft202012Validator, by: str) -> Iterator[Finding]:
    error = best_match(validator.iter_errors(manifest.body))
    if error is not None:
        yield Finding(manifest.file, str(manifest), f"{_where(error)}: {error.message[:200]}{by}")


def _where(error: ValidationError) -> str:
    return ".".join(str(part) for part in error.absolute_path) or "the whole"


@cache
def _folder(version: str) -> Traversable:
    folders = files("kubernetes_validate") / "kubernetes-json-schema"
    folder = folders / f"v{version}.0-local-strict"
    if not folder.is_dir():
        known = sorted(
            (
                m[1]
                for f in folders.iterdir()
                if (m := re.match(r"v([\d.]+)\.0-local-strict", f.name))
            ),
            key=lambda v: [int(part) for part in v.split(".")],
        )
        raise NoSuchVersion(f"no schemas of Kubernetes {version}; there are {', '.join(known)}")
    return folder


@cache
def _registry(version: str) -> Registry[bool | Mapping[str, Any]]:
    definitions: Mapping[str, Any] = json.loads(
        (_folder(version) / "_definitions.json").read_text()
    )
    found: Resource[bool | Mapping[str, Any]] = Resource.from_contents(definitions)
    return found @ Registry()


@cache
def _validator(version: str, api: str, kind: str) -> Draft202012Validator | None:
    # Files are named by kind and group without its domain: rbac.authorization.k8s.io/v1 → rbac-v1.
    place = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)
    file = _folder(version) / f"{kind.lower()}-{place}.json"
    if not file.is_file():
        return None
    return Draft202012Validator(json.loads(file.read_text()), registry=_registry(version))
