"""The overlays render, fit Kubernetes and our own rules; and what is broken on purpose is found,
with its file."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.common.service import Service
from services.common.settings import ServiceSettings
from services.common.version import VERSION
from tools.deploy.commands import ROOT, app, judge
from tools.deploy.manifests import CannotRender, Manifest, render
from tools.deploy.pods import BROKER_STOPS_S, GRACE_S, LONG_RUNNING, is_service
from tools.system import SERVICES

pytestmark = pytest.mark.unit

K8S = ROOT / "deploy" / "k8s"
OVERLAY_NAMES = ["trial", "production", "tilt"]


@pytest.fixture(scope="module")
def rendered() -> dict[str, list[Manifest]]:
    return {name: render(K8S / "overlays" / name) for name in OVERLAY_NAMES}


@pytest.mark.parametrize("name", OVERLAY_NAMES)
def test_nothing_is_wrong_with_an_overlay(name: str, rendered: dict[str, list[Manifest]]) -> None:
    assert [str(finding) for finding in judge(rendered[name])] == []


@pytest.mark.parametrize("name", OVERLAY_NAMES)
def test_every_service_is_there(name: str, rendered: dict[str, list[Manifest]]) -> None:
    run = {
        argument
        for manifest in rendered[name]
        if is_service(manifest)
        for argument in manifest.pod["containers"][0]["args"]
    }
    assert run == {f"services.{service}" for service in SERVICES}


@pytest.mark.parametrize("name", OVERLAY_NAMES)
def test_every_service_is_secured_alike(name: str, rendered: dict[str, list[Manifest]]) -> None:
    services = [manifest for manifest in rendered[name] if is_service(manifest)]
    for part in ("securityContext", "terminationGracePeriodSeconds"):
        assert len({str(manifest.pod[part]) for manifest in services}) == 1
    for part in ("securityContext", "startupProbe", "readinessProbe", "livenessProbe"):
        assert len({str(m.pod["containers"][0][part]) for m in services}) == 1


def test_service_files_have_the_same_order_of_keys() -> None:
    assert (
        len({_skeleton(K8S / "base" / f"{name.replace('_', '-')}.yaml") for name in SERVICES}) == 1
    )


def test_production_has_several_replicas_where_it_may(
    rendered: dict[str, list[Manifest]],
) -> None:
    scaled = {m.name: m.spec["minReplicas"] for m in rendered["production"] if "Autosc" in m.kind}
    replicas = {
        m.name: scaled.get(m.name) or m.spec["replicas"]
        for m in rendered["production"]
        if m.kind in LONG_RUNNING
    }
    assert {name for name, count in replicas.items() if count == 1} == {
        *("media", "escalation", "desk", "records")
    }
    assert {count for count in replicas.values() if count > 1} == {3}


def test_pods_have_longer_to_end_than_the_broker_takes() -> None:
    service = Service("example", ServiceSettings())
    assert service.broker.config.graceful_timeout == BROKER_STOPS_S


@pytest.mark.parametrize(
    ("name", "told_in"),
    [("trial", K8S / "secrets.sh"), ("production", ROOT / "docs" / "operations.md")],
)
def test_every_secret_is_made_or_documented(
    name: str, told_in: Path, rendered: dict[str, list[Manifest]]
) -> None:
    wanted = {
        (entry["valueFrom"]["secretKeyRef"]["name"], entry["valueFrom"]["secretKeyRef"]["key"])
        for manifest in rendered[name]
        for container in manifest.pod.get("containers", [])
        for entry in container.get("env", [])
        if "secretKeyRef" in entry.get("valueFrom", {})
    }
    assert {secret for secret, _ in wanted} == {"banxi-secrets"}
    text = told_in.read_text(encoding="utf-8")
    assert [key for _, key in wanted if f"  {key}: " not in text and f"`{key}`" not in text] == []


def test_keda_takes_the_place_of_the_autoscaler(copied: Path) -> None:
    overlay = copied / "overlays" / "production"
    _change(
        overlay / "kustomization.yaml", r"^# (components:|  - \.\./\.\./components/keda)", r"\1"
    )
    manifests = render(overlay)
    assert [m.name for m in manifests if m.kind == "ScaledObject"] == ["transcription"]
    assert [m.name for m in manifests if "Autosc" in m.kind] == ["embedding"]
    assert judge(manifests) == []


def test_the_overlay_of_the_documentation_is_sound(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    mine = Path(shutil.copytree(K8S, tmp_path / "banxi" / "deploy" / "k8s")).parents[2] / "mine"
    mine.mkdir()
    (mine / "kustomization.yaml").write_text(example.replace("[banxi/", "[../banxi/"))
    manifests = render(mine)
    assert judge(manifests) == []
    images = {c["image"] for m in manifests if m.pod for c in m.pod["containers"]}
    assert images == {f"REGISTRY/banxi/{name}:{VERSION}" for name in ("light", "models")}
    settings = [m.body["data"] for m in manifests if m.kind == "ConfigMap"]
    assert [data["BANXI_SITE"] for data in settings] == ["beicheng"]


BREAKS: dict[str, tuple[str, Callable[[str], str], str]] = {
    # what is broken: file, change, what is said
    "a readiness probe is dropped": (
        "base/conduct.yaml",
        lambda text: _cut(text, "          readinessProbe:", "          livenessProbe:"),
        "Deployment/conduct: container conduct: readinessProbe is missing",
    ),
    "the memory limit is dropped": (
        "base/media.yaml",
        lambda text: re.sub(r"(limits:\n.*\n).*memory.*\n", r"\1", text),
        "Deployment/media: container media: resources.limits.memory is missing",
    ),
    "the policy is dropped": (
        "base/records.yaml",
        lambda text: text[: text.index("---\napiVersion: networking")],
        "StatefulSet/records: it has no NetworkPolicy of its own",
    ),
    "the policy of a database is dropped": (
        "overlays/trial/postgres.yaml",
        lambda text: text[: text.index("---\napiVersion: networking")],
        "StatefulSet/postgres: no NetworkPolicy",
    ),
    "a field is misspelled": (
        "base/desk.yaml",
        lambda text: text.replace("periodSeconds: 10", "periodSecond: 10"),
        "'periodSecond' was unexpected",
    ),
    "a field has the wrong type": (
        "base/knowledge.yaml",
        lambda text: text.replace("replicas: 1", "replicas: one"),
        "Deployment/knowledge: spec.replicas: 'one' is not of type",
    ),
    "a kind is unknown": (
        "base/escalation.yaml",
        lambda text: text.replace("kind: PodDisruptionBudget", "kind: PodDisruptionBudgets"),
        "kind PodDisruptionBudgets of policy/v1 is unknown to Kubernetes",
    ),
    "the root file system can be written": (
        "base/embedding.yaml",
        lambda text: text.replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"),
        "securityContext.readOnlyRootFilesystem must be true",
    ),
    "the image is whatever is latest": (
        "overlays/trial/qdrant.yaml",
        lambda text: re.sub(r"image: .*", "image: qdrant/qdrant:latest", text),
        "image qdrant/qdrant:latest must name a version",
    ),
    "a setting is misspelled": (
        "base/settings.env",
        lambda text: text.replace("BANXI_SITE", "BANXI_SITES"),
        "BANXI_SITES is no setting",
    ),
    "a secret stands in the settings": (
        "base/settings.env",
        lambda text: text + "BANXI_DOOR_TOKEN=abc\n",
        "BANXI_DOOR_TOKEN is a secret",
    ),
    "the budget lets nobody go": (
        "base/call-type.yaml",
        lambda text: text.replace("maxUnavailable: 1", "maxUnavailable: 0"),
        "Deployment/call-type: its PodDisruptionBudget must let one pod go",
    ),
    "there are two of what must be one": (
        "base/media.yaml",
        lambda text: text.replace("replicas: 1", "replicas: 2"),
        "Deployment/media: it must have one replica",
    ),
    "a pod is killed before it has handed over": (
        "base/transcription.yaml",
        lambda text: re.sub(r"terminationGracePeriodSeconds: \d+", "", text),
        f"terminationGracePeriodSeconds must be at least {GRACE_S}",
    ),
    "addresses of the cluster could be taken for settings": (
        "base/call-type.yaml",
        lambda text: text.replace("enableServiceLinks: false", "enableServiceLinks: true"),
        "Deployment/call-type: enableServiceLinks must be false",
    ),
    "no probe would reach the health port": (
        "base/settings.env",
        lambda text: text.replace("HEALTH_HOST=0.0.0.0", "HEALTH_HOST=127.0.0.1"),
        "BANXI_HEALTH_HOST is loopback",
    ),
    "probes ask another port than the service has": (
        "base/settings.env",
        lambda text: text.replace("HEALTH_PORT=7790", "HEALTH_PORT=7720"),
        "BANXI_HEALTH_PORT must be the container's port `health` (7790)",
    ),
    "the token of NATS is missing": (
        "base/records.yaml",
        lambda text: _cut(text, "            - name: BANXI_NATS_TOKEN", "          ports:"),
        "StatefulSet/records: BANXI_NATS_TOKEN is not told to it",
    ),
    "the token of NATS comes from no Secret": (
        "base/embedding.yaml",
        lambda text: text.replace("secretKeyRef", "configMapKeyRef"),
        "Deployment/embedding: BANXI_NATS_TOKEN is a secret",
    ),
    "two processes decide about escalations": (
        "base/escalation.yaml",
        lambda text: text.replace("replicas: 1", "replicas: 2"),
        "Deployment/escalation: it must have one replica: one process decides",
    ),
    "what is not allowed is not denied": (
        "base/network.yaml",
        lambda text: text[text.index("---\n") :],
        "no NetworkPolicy denies everything",
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_what_is_broken_is_found_with_its_file(what: str, copied: Path) -> None:
    place, change, said = BREAKS[what]
    file = copied / place
    before = file.read_text(encoding="utf-8")
    file.write_text(change(before), encoding="utf-8")
    assert file.read_text(encoding="utf-8") != before
    found = [str(finding) for finding in judge(render(copied / "overlays" / "trial"))]
    about = [finding for finding in found if said in finding]
    assert about, found
    if file.suffix == ".yaml" and file.name != "network.yaml":
        assert all(finding.startswith(f"{file}: ") for finding in about)


def test_the_command_says_what_is_wrong_and_fails(copied: Path) -> None:
    _change(copied / "base" / "desk.yaml", "runAsNonRoot: true", "runAsNonRoot: false")
    result = CliRunner().invoke(app, ["check", str(copied / "overlays" / "production")])
    assert result.exit_code == 1
    assert (
        f"{copied}/base/desk.yaml: StatefulSet/desk: securityContext.runAsNonRoot" in result.output
    )


def test_the_command_passes_the_repository() -> None:
    result = CliRunner().invoke(app, ["check"])
    assert result.output.endswith(" objects: nothing wrong\n")
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "nowhere"], "there is no kustomization.yaml"),
        (["check", "--kubernetes", "1.9"], "no schemas of Kubernetes 1.9; there are 1.2"),
    ],
)
def test_the_command_says_what_it_cannot_do(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_what_kustomize_cannot_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [gone.yaml]\n")
    with pytest.raises(CannotRender, match=r"gone\.yaml"):
        render(tmp_path)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the manifests, to be broken."""
    return Path(shutil.copytree(K8S, tmp_path / "k8s"))


def _cut(text: str, start: str, end: str) -> str:
    return text[: text.index(start)] + text[text.index(end) :]


def _change(file: Path, pattern: str, by: str) -> None:
    before = file.read_text(encoding="utf-8")
    after = re.sub(pattern, by, before, flags=re.MULTILINE)
    assert after != before
    file.write_text(after, encoding="utf-8")


def _skeleton(file: Path) -> str:
    """The keys every service has, in their order."""
    text = file.read_text(encoding="utf-8")
    kinds = re.findall(r"^kind: (\w+)", text, re.MULTILINE)
    container = re.findall(r"^          (\w+):", text, re.MULTILINE)
    pod = re.findall(r"^      (\w+):", text, re.MULTILINE)
    kinds = ["Workload" if kind in LONG_RUNNING else kind for kind in kinds]
    shared = [key for key in container if key not in ("emptyDir",)]
    return str((kinds, shared[:11], pod[:9]))
