"""What must hold for every pod by itself: nobody is root, nothing is written outside volumes, every
container says what it needs, every service can be asked how it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from services.common.version import VERSION
from tools.deploy.manifests import Manifest

LONG_RUNNING = ("Deployment", "StatefulSet")
WITH_PODS = (*LONG_RUNNING, "Job", "DaemonSet", "CronJob")
OURS = ("light", "models")
"""Images of this tree, `…/banxi/NAME`."""
HANDOVER_S = 45
"""How long a service may take to finish what it has in hand and hand its partitions on, seconds."""
BROKER_STOPS_S = 15
"""How long its broker may take to end requests (`graceful_timeout`), seconds."""
GRACE_S = HANDOVER_S + BROKER_STOPS_S
"""Who is killed earlier leaves others waiting until pins and `ack_wait` have passed."""
PAGES = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}


def check(manifest: Manifest) -> Iterator[str]:
    """What is wrong with the pods of a manifest, a sentence each."""
    if manifest.kind not in WITH_PODS:
        return
    yield from _pod(manifest)
    for container in all_containers(manifest.pod):
        at = f"container {container.get('name')}: "
        for sentence in (
            *_security(container),
            *_resources(container),
            *_image(str(container.get("image"))),
        ):
            yield at + sentence
    if manifest.kind in LONG_RUNNING:
        for container in manifest.pod.get("containers") or []:
            at = f"container {container.get('name')}: "
            for sentence in _probes(container, is_service(manifest)):
                yield at + sentence


def is_service(manifest: Manifest) -> bool:
    """Whether it runs one of the services of Banxi."""
    return manifest.pod_labels.get("app.kubernetes.io/component") == "service" and (
        manifest.kind in LONG_RUNNING
    )


def all_containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """The containers of a pod, those that prepare it first."""
    return [*(pod.get("initContainers") or []), *(pod.get("containers") or [])]


def _pod(manifest: Manifest) -> Iterator[str]:
    pod = manifest.pod
    context = pod.get("securityContext") or {}
    if context.get("runAsNonRoot") is not True:
        yield "securityContext.runAsNonRoot must be true"
    for name in ("runAsUser", "runAsGroup", "fsGroup"):
        if not context.get(name):
            yield f"securityContext.{name} must be a number that is not 0"
    if (context.get("seccompProfile") or {}).get("type") != "RuntimeDefault":
        yield "securityContext.seccompProfile must be RuntimeDefault"
    if pod.get("automountServiceAccountToken") is not False:
        yield "automountServiceAccountToken must be false: nobody here talks to the cluster"
    if pod.get("enableServiceLinks") is not False:
        yield "enableServiceLinks must be false: they could be taken for settings"
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield f"{name} must not be set"
    grace = pod.get("terminationGracePeriodSeconds", 0)
    if manifest.kind in LONG_RUNNING and grace < GRACE_S:
        yield f"terminationGracePeriodSeconds must be at least {GRACE_S}"


def _security(container: dict[str, Any]) -> Iterator[str]:
    context = container.get("securityContext") or {}
    if context.get("allowPrivilegeEscalation") is not False:
        yield "securityContext.allowPrivilegeEscalation must be false"
    if context.get("readOnlyRootFilesystem") is not True:
        yield "securityContext.readOnlyRootFilesystem must be true"
    if (context.get("capabilities") or {}).get("drop") != ["ALL"]:
        yield "securityContext.capabilities must drop ALL"
    if (context.get("capabilities") or {}).get("add") or context.get("privileged"):
        yield "securityContext must add no capability"


def _resources(container: dict[str, Any]) -> Iterator[str]:
    resources = container.get("resources") or {}
    for side in ("requests", "limits"):
        for name in ("cpu", "memory"):
            if not (resources.get(side) or {}).get(name):
                yield f"resources.{side}.{name} is missing"


def _image(image: str) -> Iterator[str]:
    name, _, tag = image.partition("@")[0].rpartition(":")
    if not name or "/" in tag:
        name, tag = image, ""
    if "@" in image:
        return
    if not tag or tag == "latest":
        yield f"image {image} must name a version"
    elif (ours := re.search(r"(?:^|/)banxi/(\w+)$", name)) and ours[1] in OURS and tag != VERSION:
        yield f"image {image} is not of this version ({VERSION}), whose settings are checked here"


def _probes(container: dict[str, Any], service: bool) -> Iterator[str]:
    ports = {port.get("name") for port in container.get("ports") or []}
    for name, page in PAGES.items():
        probe = container.get(name)
        if not probe:
            yield f"{name} is missing"
            continue
        asked = probe.get("httpGet") or {}
        if service and asked.get("path") != page:
            yield f"{name} must ask for {page}"
        port = asked.get("port")
        if isinstance(port, str) and port not in ports:
            yield f"{name} asks port {port}, which the container does not have"
