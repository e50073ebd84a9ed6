"""What the services really export: their registries, built without a bus."""

from __future__ import annotations

import importlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from services.common.service import Service
from tools.system import SERVICES

DEPLOY = Path(__file__).parents[3] / "deploy"
Exported = dict[str, dict[str, set[str]]]
"""Name of a time series → its labels → their values."""


class _Anything:
    """A handler of calls; nothing reaches it."""


def service(name: str, data_dir: Path) -> Service:
    """A service, wired but not started. It follows calls where it would, once connected."""
    settings = importlib.import_module(f"services.{name}.settings").Settings(data_dir=data_dir)
    made: Service = importlib.import_module(f"services.{name}.app").create_app(settings)
    if name in ("conduct", "call_type", "knowledge"):  # they begin to when their files are read
        made.follows_calls(_Anything())  # type: ignore[arg-type]
    return made


def exported(data_dir: Path) -> Exported:
    """All of all services."""
    found: dict[str, dict[str, set[str]]] = {}
    for name in SERVICES:
        text = service(name, data_dir).figures.exposition().decode()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = found.setdefault(sample.name, defaultdict(set))
                for label, value in sample.labels.items():
                    labels[label].add(value)
    return found


def target_labels() -> set[str]:
    """Labels that Prometheus gives every time series, by the scrape job in `deploy/alerts`."""
    jobs: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "alerts" / "scrape.yaml").read_text())
    named = {rule.get("target_label") for job in jobs for rule in job["relabel_configs"]}
    return {label for label in named if label} | {"job", "instance"}
