"""What must hold between manifests: labels select what they mean, references point to something,
and a service that can only be one is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from services.common.settings import is_loopback, known_names
from tools.deploy.manifests import Manifest
from tools.deploy.pods import LONG_RUNNING, WITH_PODS, all_containers, is_service

NAME, PART_OF = "app.kubernetes.io/name", "app.kubernetes.io/part-of"
Said = tuple[Manifest, str]
"""A manifest, and a sentence about what is wrong with it."""

ONLY_ONE = {
    "media": "calls live in its memory, and a second one would end them as lost",
    "escalation": "one process decides about an escalation at a time",
    "desk": "its accounts are a SQLite file",
    "records": "its database is a SQLite file",
}
SHARED_BASE = ("BANXI_KNOWLEDGE__DATABASE", "BANXI_QDRANT_URL")
"""What knowledge needs to be more than one."""
SECRET = ("TOKEN", "PASSWORD", "DATABASE", "API_KEY")
"""A setting that ends so is a secret."""


def check(manifests: Sequence[Manifest]) -> Iterator[Said]:
    """What is wrong between the manifests of one overlay."""
    for manifest in manifests:
        yield from ((manifest, sentence) for sentence in _labels(manifest))
        if manifest.kind in WITH_PODS:
            yield from ((manifest, s) for s in _account(manifest, manifests))
            yield from ((manifest, s) for s in _settings(manifest, manifests))
            yield from ((manifest, s) for s in _policies(manifest, manifests))
        if manifest.kind in LONG_RUNNING:
            yield from ((manifest, s) for s in _budget(manifest, manifests))
            yield from ((manifest, s) for s in _replicas(manifest, manifests))
        if manifest.kind == "Service":
            yield from ((manifest, s) for s in _ports(manifest, manifests))
        if manifest.kind in ("HorizontalPodAutoscaler", "ScaledObject"):
            yield from ((manifest, s) for s in _scaler(manifest, manifests))
    denied = [m for m in manifests if m.kind == "NetworkPolicy" and _denies_all(m)]
    if manifests and not denied:
        yield manifests[0], "no NetworkPolicy denies everything that no other allows"


def _labels(manifest: Manifest) -> Iterator[str]:
    if not manifest.labels.get(NAME):
        yield f"label {NAME} is missing"
    if manifest.labels.get(PART_OF) != "banxi":
        yield f"label {PART_OF} must be banxi"
    if manifest.kind == "Namespace" and (
        manifest.labels.get("pod-security.kubernetes.io/enforce") != "restricted"
    ):
        yield "label pod-security.kubernetes.io/enforce must be restricted"
    if manifest.kind not in WITH_PODS:
        return
    for label in (NAME, PART_OF):
        if manifest.pod_labels.get(label) != manifest.labels.get(label):
            yield f"its pods must have its own label {label}"
    if manifest.kind in LONG_RUNNING and not _selects(manifest.spec.get("selector"), manifest):
        yield "its selector does not match its pods"


def _account(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    name = manifest.pod.get("serviceAccountName")
    accounts = [m for m in manifests if m.kind == "ServiceAccount" and m.name == name]
    if not accounts:
        yield f"there is no ServiceAccount {name} for it"
    elif accounts[0].body.get("automountServiceAccountToken") is not False:
        yield f"ServiceAccount {name} must not hand out a token (automountServiceAccountToken)"


def _settings(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    there = {m.name for m in manifests if m.kind == "ConfigMap"}
    yield from (f"there is no ConfigMap {name}" for name in sorted(_config_maps(manifest) - there))
    told = _told(manifest, manifests)
    for name, value in told.items():
        if name.startswith("BANXI_") and name not in known_names():
            yield f"{name} is no setting; services would refuse to start (`banxi settings`)"
        if name.endswith(SECRET) and value is not None:
            yield f"{name} is a secret: take it from a Secret by reference"
    if is_service(manifest):
        for name in ("BANXI_NATS_TOKEN", "BANXI_HEALTH_PORT", "BANXI_HEALTH_HOST"):
            if name not in told:
                yield f"{name} is not told to it"
        if is_loopback(told.get("BANXI_HEALTH_HOST") or ""):
            yield "BANXI_HEALTH_HOST is loopback: no probe would reach it"
        port = _health_port(manifest)
        if "BANXI_HEALTH_PORT" in told and told["BANXI_HEALTH_PORT"] != port:
            yield f"BANXI_HEALTH_PORT must be the container's port `health` ({port})"


def _health_port(manifest: Manifest) -> str | None:
    ports = [port for c in manifest.pod["containers"] for port in c.get("ports") or []]
    return next((str(p["containerPort"]) for p in ports if p.get("name") == "health"), None)


def _policies(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    selecting = [
        m
        for m in manifests
        if m.kind == "NetworkPolicy"
        and m.spec.get("podSelector")
        and _selects(m.spec["podSelector"], manifest)
    ]
    if not selecting:
        yield "no NetworkPolicy says who may talk to it"
    elif manifest.kind in LONG_RUNNING and not any(
        "Ingress" in m.spec.get("policyTypes", [])
        and m.labels.get(NAME) == manifest.labels.get(NAME)
        for m in selecting
    ):
        yield "it has no NetworkPolicy of its own for who may talk to it"


def _budget(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    budgets = [
        m
        for m in manifests
        if m.kind == "PodDisruptionBudget" and _selects(m.spec.get("selector"), manifest)
    ]
    if not budgets:
        yield "it has no PodDisruptionBudget"
    for budget in budgets:
        if budget.spec.get("maxUnavailable") in (None, 0, "0%"):
            yield "its PodDisruptionBudget must let one pod go (maxUnavailable), or no node can"


def _replicas(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    if not is_service(manifest):
        return
    scalers = _scalers(manifest, manifests)
    several = bool(scalers) or manifest.spec.get("replicas", 1) > 1
    why = ONLY_ONE.get(manifest.name)
    if why and several:
        yield f"it must have one replica: {why}"
    recreated = (manifest.spec.get("strategy") or {}).get("type") == "Recreate"
    if why and manifest.kind == "Deployment" and not recreated:
        yield f"its strategy must be Recreate: {why}"
    if manifest.name == "knowledge" and several:
        told = _told(manifest, manifests)
        for name in SHARED_BASE:
            if name not in told:
                yield f"with several replicas it needs {name}"
    if scalers and "replicas" in manifest.spec:
        yield f"replicas and {scalers[0]} both say how many there are"
    if len(scalers) > 1:
        yield f"{scalers[0]} and {scalers[1]} both scale it"


def _told(manifest: Manifest, manifests: Sequence[Manifest]) -> dict[str, str | None]:
    """The environment of its containers; None where a value comes from a Secret."""
    maps = {m.name: m.body.get("data") or {} for m in manifests if m.kind == "ConfigMap"}
    told: dict[str, str | None] = {}
    for container in all_containers(manifest.pod):
        for source in container.get("envFrom") or []:
            told |= maps.get(str((source.get("configMapRef") or {}).get("name")), {})
        for entry in container.get("env") or []:
            secret = "secretKeyRef" in (entry.get("valueFrom") or {})
            told[entry["name"]] = None if secret else entry.get("value", "")
    return told


def _config_maps(manifest: Manifest) -> set[str]:
    """The ConfigMaps it takes settings or files from."""
    volumes = manifest.pod.get("volumes") or []
    wanted = {str(volume["configMap"]["name"]) for volume in volumes if "configMap" in volume}
    for container in all_containers(manifest.pod):
        sources = container.get("envFrom") or []
        wanted |= {str(s["configMapRef"]["name"]) for s in sources if "configMapRef" in s}
    return wanted


def _scalers(manifest: Manifest, manifests: Sequence[Manifest]) -> list[Manifest]:
    return [
        m
        for m in manifests
        if m.kind in ("HorizontalPodAutoscaler", "ScaledObject")
        and (m.spec.get("scaleTargetRef") or {}).get("name") == manifest.name
    ]


def _scaler(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    target = manifest.spec.get("scaleTargetRef") or {}
    if not any(m.kind == target.get("kind") and m.name == target.get("name") for m in manifests):
        yield f"it scales {target.get('kind')}/{target.get('name')}, which is not there"


def _ports(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    selector = {"matchLabels": manifest.spec.get("selector") or {}}
    behind = [m for m in manifests if m.kind in LONG_RUNNING and _selects(selector, m)]
    if not behind:
        yield "it selects no pods"
        return
    names = {
        port.get("name") for c in all_containers(behind[0].pod) for port in c.get("ports") or []
    }
    for port in manifest.spec.get("ports") or []:
        target = port.get("targetPort")
        if isinstance(target, str) and target not in names:
            yield f"port {target} is none of {behind[0]}"


def _selects(selector: Any, manifest: Manifest) -> bool:
    wanted = (selector or {}).get("matchLabels") or {}
    return bool(wanted) and wanted.items() <= manifest.pod_labels.items()


def _denies_all(policy: Manifest) -> bool:
    spec = policy.spec
    return (
        not spec.get("podSelector")
        and set(spec.get("policyTypes", [])) == {"Ingress", "Egress"}
        and not spec.get("ingress")
        and not spec.get("egress")
    )
