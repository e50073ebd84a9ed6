"""The group `banxi train`."""

from __future__ import annotations

import typer

from tools.train.conduct import conduct

app = typer.Typer(
    help="Learn again from labelled sentences, also from a site's own.", no_args_is_help=True
)
app.command("conduct")(conduct)


@app.callback()
def group() -> None:
    """A group, though it has one command so far."""
