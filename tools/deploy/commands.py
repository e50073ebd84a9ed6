"""`banxi deploy`: check manifests and the Dockerfile before they are used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tools.deploy import dockerfile, pods, schemas, wiring
from tools.deploy.findings import Finding
from tools.deploy.manifests import CannotRender, Manifest, render

ROOT = Path(__file__).parents[2]
OVERLAYS = tuple(ROOT / "deploy" / "k8s" / "overlays" / name for name in ("trial", "production"))
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
TARGETS = ("light", "models")

app = typer.Typer(help="Manifests and images for a cluster: check them before they are used.")


@app.callback()
def deploy() -> None:
    """Manifests and images for a cluster."""


@app.command()
def check(
    overlays: Annotated[
        list[Path] | None,
        typer.Argument(help="Kustomize overlays; those of this repository without any."),
    ] = None,
    kubernetes: Annotated[
        list[str] | None,
        typer.Option(help="Version of Kubernetes to check against; may be repeated."),
    ] = None,
) -> None:
    """Render overlays and say what is wrong with them, file by file. Needs no cluster.

    Every object is held against the schemas of Kubernetes: a field that is not in them is a
    mistake. A kind they do not have needs its schema in deploy/k8s/schemas. Then come our own
    rules: nobody is root, every service has probes, limits, a policy and a budget, settings exist,
    secrets are references, what can only be one is one. Without arguments the Dockerfile is checked
    as well.
    """
    found: list[Finding] = []
    count = 0
    try:
        for overlay in overlays or OVERLAYS:
            manifests = render(overlay)
            count += len(manifests)
            found += judge(manifests, kubernetes or schemas.VERSIONS)
    except (CannotRender, schemas.NoSuchVersion) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if not overlays:
        found += dockerfile.lint(DOCKERFILE, ROOT, TARGETS)
    for finding in dict.fromkeys(found):
        typer.echo(str(finding), err=True)
    if found:
        raise typer.Exit(1)
    typer.echo(f"{count} objects: nothing wrong")


def judge(
    manifests: Sequence[Manifest], versions: Sequence[str] = schemas.VERSIONS
) -> list[Finding]:
    """Everything that is wrong with the manifests of one overlay. Raises NoSuchVersion."""
    found = [finding for manifest in manifests for finding in schemas.check(manifest, versions)]
    if found:
        # The rules rely on the shapes of the schemas.
        return found
    found += [Finding(m.file, str(m), sentence) for m in manifests for sentence in pods.check(m)]
    found += [Finding(m.file, str(m), sentence) for m, sentence in wiring.check(manifests)]
    return found
