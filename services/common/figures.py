"""The figures of a service: what `/metrics` shows Prometheus and `Describe` tells `banxi status`.

Both are read from one registry, so that they never differ. A label takes its values from a closed
set that is known at the start, never from a call: thousands of calls make no more time series than
ten.

    heard = service.figures.counter("banxi_utterances_total", "finals heard", role=ROLES)
    heard.at(role="agent").inc()
    service.figures.read("banxi_dropped_total", "…", lambda: {"partials": early.dropped},
                         queue=("partials",))
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

M = TypeVar("M", Counter, Gauge, Histogram)
Read = Callable[[], float | Mapping[str, float]]

OTHER = "other"
"""What a label says where its value is not of the set: one time series, whatever comes."""
SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)
"""Bounds for what a person waits for, seconds."""
SHARES = (50, 95)

# When each time series began is a time series more, and nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Closed(Generic[M]):
    """A figure with labels of closed sets. All its time series are there from the start, at 0."""

    def __init__(self, metric: M, sets: Mapping[str, Collection[str]]) -> None:
        self._metric: M = metric
        self._sets = {label: set(values) for label, values in sets.items()}
        self._begin()

    def allow(self, **values: str) -> None:
        """Add a value to the set of a label, while the service is wired."""
        for label, value in values.items():
            self._sets[label].add(value)
        self._begin()

    def at(self, **labels: str) -> M:
        """The figure of these labels; a value outside its set counts as `other`."""
        if not self._sets:
            return self._metric
        known = [
            labels[label] if labels[label] in values else OTHER
            for label, values in self._sets.items()
        ]
        found: M = self._metric.labels(*known)
        return found

    def _begin(self) -> None:
        for values in itertools.product(*self._sets.values()):
            self.at(**dict(zip(self._sets, values, strict=True)))


class _Reading(Collector):
    """Figures that are read when somebody looks."""

    def __init__(self, families: Callable[[], Iterable[Metric]]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families()


class Figures:
    """All figures of one service, in a registry of its own."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)

    def counter(self, name: str, meaning: str, **labels: Collection[str]) -> Closed[Counter]:
        """Something that is counted; `name` ends with `_total`."""
        return Closed(Counter(name, meaning, tuple(labels), registry=self._registry), labels)

    def gauge(self, name: str, meaning: str, **labels: Collection[str]) -> Closed[Gauge]:
        """Something that goes up and down."""
        return Closed(Gauge(name, meaning, tuple(labels), registry=self._registry), labels)

    def histogram(
        self,
        name: str,
        meaning: str,
        bounds: Collection[float] = SECONDS,
        **labels: Collection[str],
    ) -> Closed[Histogram]:
        """How long things take; `name` ends with `_seconds`. `bounds`: of the classes, rising."""
        metric = Histogram(
            name, meaning, tuple(labels), buckets=tuple(bounds), registry=self._registry
        )
        return Closed(metric, labels)

    def read(self, name: str, meaning: str, read: Read, **labels: Collection[str]) -> None:
        """A figure that is kept elsewhere and read when somebody looks: counted where `name` ends
        with `_total`, else a level. With a label, `read` gives a number for each of its values."""
        [(label, values)] = labels.items() or [("", ())]
        kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily

        def families() -> Iterator[Metric]:
            said = read()
            family = kind(name, meaning, labels=[label] if label else None)
            if isinstance(said, Mapping):
                for value in values:
                    family.add_metric([value], said.get(value, 0.0))
            else:
                family.add_metric([], said)
            yield family

        self._registry.register(_Reading(families))

    def read_all(self, read: Callable[[], Mapping[str, float]]) -> None:
        """Levels of this service alone: each becomes `banxi_{service}_{key}`. The keys stand in
        the code; they are never made of what calls hold."""

        def families() -> Iterator[Metric]:
            for key, value in read().items():
                yield GaugeMetricFamily(f"{self._own}{key}", f"{key} of {self._service}", value)

        self._registry.register(_Reading(families))

    def exposition(self) -> bytes:
        """All of it in Prometheus' text form."""
        return generate_latest(self._registry)

    def now(self) -> dict[str, float]:
        """All that are ours by their short names: `calls_live`, `requests{embed,ok}`; of times the
        median and the 95th percentile as far as the classes tell, `final_delay_seconds_p95`."""
        found: dict[str, float] = {}
        for family in self._registry.collect():
            name = self._short(family.name)
            if name is None:
                continue
            if family.type == "histogram":
                found |= _percentiles(name, family)
                continue
            for sample in family.samples:
                labels = ",".join(sample.labels.values())
                found[f"{name}{{{labels}}}" if labels else name] = sample.value
        return found

    @property
    def _own(self) -> str:
        return f"banxi_{self._service}_"

    def _short(self, name: str) -> str | None:
        for prefix in (self._own, "banxi_"):
            if name.startswith(prefix):
                return name.removeprefix(prefix)
        return None


def _percentiles(name: str, family: Metric) -> dict[str, float]:
    """Of each combination of labels that has been seen: nothing is said of what never happened."""
    classes: dict[str, list[tuple[float, float]]] = {}
    for sample in family.samples:
        if sample.name.endswith("_bucket"):
            labels = ",".join(value for key, value in sample.labels.items() if key != "le")
            bound = float(sample.labels["le"])
            classes.setdefault(labels, []).append((bound, sample.value))
    return {
        f"{name}_p{share}" + (f"{{{labels}}}" if labels else ""): round(quantile(seen, share), 3)
        for labels, seen in classes.items()
        if seen[-1][1]
        for share in SHARES
    }


def quantile(classes: Collection[tuple[float, float]], share: float) -> float:
    """The value `share` % lie below, as Prometheus' `histogram_quantile` has it: evenly spread
    within a class. `classes`: (bound, how many up to it), the last bound infinite."""
    rank = list(classes)[-1][1] * share / 100
    lower, below = 0.0, 0.0
    for bound, upto in classes:
        if upto >= rank and upto > below:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * (rank - below) / (upto - below)
        lower, below = bound, upto
    return lower
