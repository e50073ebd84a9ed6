"""The Tiltfile, evaluated with stand-ins for Tilt's functions that keep what they are told. They
take the arguments Tilt documents, and no others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import starlark
import yaml

from tools.deploy.commands import DOCKERFILE, ROOT
from tools.deploy.dockerfile import read, understand
from tools.deploy.manifests import render
from tools.system import SERVICES

pytestmark = pytest.mark.unit

NAMESPACES = "config = struct(define_string=define_string, parse=parse)"
CONSTANTS = "TRIGGER_MODE_MANUAL = 'manual'"


@dataclass
class Told:
    """What a Tiltfile told Tilt."""

    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    local_resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    objects: list[dict[str, Any]] = field(default_factory=list)
    constraint: str = ""
    options: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def told() -> Told:
    return evaluate(ROOT / "Tiltfile")


def test_it_asks_for_a_version_of_tilt_first(told: Told) -> None:
    calls = [line for line in _text().splitlines() if line[:1].isalpha()]
    assert calls[0].startswith("version_settings(")
    assert told.constraint.startswith(">=")


def test_every_service_has_an_image_of_its_own(told: Told) -> None:
    names = {f"banxi/dev-{service.replace('_', '-')}" for service in SERVICES}
    assert set(told.images) == names | {"banxi/light"}
    for name, image in told.images.items():
        service = name.removeprefix("banxi/dev-")
        models = service in ("embedding", "transcription")
        assert image["target"] == ("models" if models else "light")
        assert (ROOT / image["dockerfile"]) == DOCKERFILE


def test_the_builder_gets_what_the_dockerfile_copies(told: Told) -> None:
    file = understand(read(DOCKERFILE.read_text()))
    copied = {
        word
        for stage in file.stages
        for instruction in stage.instructions
        if instruction.name == "COPY" and "from" not in instruction.flags()
        for word in instruction.words()[:-1]
    }
    for image in told.images.values():
        for wanted in copied - {"services"}:
            assert any(Path(wanted).is_relative_to(only) for only in image["only"]), wanted
        assert any(only.startswith("services") for only in image["only"])
        assert all((ROOT / only).exists() for only in image["only"])
        assert all((ROOT / argument).exists() for argument in image["fall_back_on"])


def test_a_change_reaches_the_code_that_runs(told: Told) -> None:
    patch = yaml.safe_load((ROOT / "deploy/k8s/components/live-code/patch.yaml").read_text())
    values = {change["path"].rsplit("/", 1)[-1]: change["value"] for change in patch}
    for name, image in told.images.items():
        if name == "banxi/light":
            assert not image["sync"]
            continue
        service = name.removeprefix("banxi/dev-").replace("-", "_")
        assert set(image["sync"]) == {"contracts", "services/common", f"services/{service}"}
        for here, there in image["sync"].items():
            assert (ROOT / here).is_dir()
            assert there == f"{values['workingDir']}/{here}"
        (again,) = image["run"]
        assert "/tmp/service.pid" in again
        assert "/tmp/service.pid" in values["command"][-1]


def test_the_manifests_are_the_overlay_with_these_images(told: Told) -> None:
    overlay = render(ROOT / "deploy/k8s/overlays/tilt")
    assert {m.name for m in overlay} == {o["metadata"]["name"] for o in told.objects}
    used = {
        container["image"]
        for pod in _pods(told).values()
        for container in [*pod.get("initContainers", []), *pod["containers"]]
        if container["image"].startswith("banxi/")
    }
    assert {image.split(":")[0] for image in used} == set(told.images)


def test_every_resource_is_there_with_its_ports(told: Told) -> None:
    pods = _pods(told)
    assert set(told.resources) == set(pods)
    for name, resource in told.resources.items():
        assert resource["labels"]
        assert set(resource["resource_deps"]) <= set(pods)
        ports = {p["containerPort"] for c in pods[name]["containers"] for p in c.get("ports", [])}
        for forward in resource["port_forwards"]:
            assert int(forward.split(":")[1]) in ports
    forwarded = [f.split(":")[0] for r in told.resources.values() for f in r["port_forwards"]]
    assert len(forwarded) == len(set(forwarded))
    assert {"7700", "7710"} <= set(forwarded)


def test_tests_and_checks_stand_beside(told: Told) -> None:
    assert set(told.local_resources) == {"unit tests", "check", "manifests"}
    for resource in told.local_resources.values():
        assert resource["labels"] == ["tools"]
        assert all((ROOT / dep).exists() for dep in resource["deps"])
    (secrets,) = told.commands
    assert (ROOT / secrets.split()[1]).is_file()


def test_every_function_is_explained_by_a_link() -> None:
    for name in ("docker_build", "k8s_yaml", "k8s_resource", "local", "version_settings"):
        assert f"https://docs.tilt.dev/api.html#api.{name}" in _text()


def _text() -> str:
    return (ROOT / "Tiltfile").read_text(encoding="utf-8")


def _pods(told: Told) -> dict[str, dict[str, Any]]:
    return {
        thing["metadata"]["name"]: thing["spec"]["template"]["spec"]
        for thing in told.objects
        if thing["kind"] in ("Deployment", "StatefulSet", "Job")
    }


def evaluate(path: Path) -> Told:
    """Run a Tiltfile and keep what it tells."""
    told = Told()
    module = starlark.Module()
    dialect = starlark.Dialect.standard()
    dialect.enable_top_level_stmt = True
    names = starlark.Globals.extended_by([starlark.LibraryExtension.StructType])
    for name, function in _functions(told).items():
        module.add_callable(name, function)
    for text in (f"{NAMESPACES}\n{CONSTANTS}", path.read_text(encoding="utf-8")):
        starlark.eval(module, starlark.parse(path.name, text, dialect), names)
    return told


def _functions(told: Told) -> dict[str, Any]:
    def version_settings(check_updates: bool = True, constraint: str = "") -> None:
        told.constraint = constraint

    def docker_build(
        ref: str,
        context: str,
        build_args: dict[str, str] | None = None,
        dockerfile: str = "Dockerfile",
        live_update: list[dict[str, Any]] | None = None,
        ignore: list[str] | None = None,
        only: list[str] | None = None,
        target: str = "",
    ) -> None:
        assert (ROOT / context).is_dir()
        assert ref not in told.images
        steps = live_update or []
        kinds = [next(iter(step)) for step in steps]
        order = ["fall_back_on", "sync", "run"]
        assert kinds == sorted(kinds, key=order.index), "Tilt wants them in this order"
        told.images[ref] = {
            "dockerfile": dockerfile,
            "target": target,
            "only": only or [],
            "fall_back_on": [f for s in steps for f in s.get("fall_back_on", [])],
            "sync": dict(s["sync"] for s in steps if "sync" in s),
            "run": [s["run"] for s in steps if "run" in s],
        }

    def k8s_resource(
        workload: str = "",
        port_forwards: list[str] | None = None,
        resource_deps: list[str] | None = None,
        labels: list[str] | None = None,
    ) -> None:
        assert workload not in told.resources
        told.resources[workload] = {
            "port_forwards": port_forwards or [],
            "resource_deps": resource_deps or [],
            "labels": labels or [],
        }

    def local_resource(
        name: str,
        cmd: str,
        deps: list[str] | None = None,
        trigger_mode: str = "",
        auto_init: bool = True,
        allow_parallel: bool = False,
        labels: list[str] | None = None,
    ) -> None:
        told.local_resources[name] = {"cmd": cmd, "deps": deps or [], "labels": labels or []}

    def local(command: str, quiet: bool = False) -> str:
        told.commands.append(command)
        return ""

    def k8s_yaml(yaml: list[dict[str, Any]], allow_duplicates: bool = False) -> None:
        told.objects.extend(yaml)

    def kustomize(pathToDir: str) -> str:
        return pathToDir

    def define_string(name: str, args: bool = False, usage: str = "") -> None:
        assert usage
        told.options.append(name)

    return {
        "version_settings": version_settings,
        "docker_build": docker_build,
        "k8s_resource": k8s_resource,
        "local_resource": local_resource,
        "local": local,
        "k8s_yaml": k8s_yaml,
        "kustomize": kustomize,
        "decode_yaml_stream": lambda path: [m.body for m in render(ROOT / path)],
        "encode_yaml_stream": lambda objects: objects,
        "fall_back_on": lambda files: {"fall_back_on": files},
        "sync": lambda local_path, remote_path: {"sync": [local_path, remote_path]},
        "run": lambda cmd, trigger=(): {"run": cmd},
        "define_string": define_string,
        "parse": lambda: {},
    }
