"""The group `banxi train`."""

from __future__ import annotations

import typer

from tools.near_duplicates import duplicates
from tools.train.call_type import call_type
from tools.train.conduct import conduct
from tools.train.knowledge import knowledge
from tools.train.red_lines import red_lines
from tools.train.situations import situations

app = typer.Typer(
    help="Learn again from labelled sentences, calls and questions, also from a site's own.",
    no_args_is_help=True,
)
app.command("conduct")(conduct)
app.command("call-type")(call_type)
app.command("situations")(situations)
app.command("knowledge")(knowledge)
app.command("red-lines")(red_lines)
app.command("duplicates")(duplicates)
