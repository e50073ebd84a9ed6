"""The group `banxi eval`: one command a kind of data."""

from __future__ import annotations

import typer

from tools.evaluate.call_type import call_type
from tools.evaluate.calls import calls
from tools.evaluate.conduct import conduct
from tools.evaluate.knowledge import knowledge
from tools.evaluate.red_lines import red_lines
from tools.evaluate.situations import situations

app = typer.Typer(
    no_args_is_help=True,
    help="Measure the system on labelled data of your own. Formats: docs/evaluation.md.",
)
app.command("conduct")(conduct)
app.command("call-type")(call_type)
app.command("situations")(situations)
app.command("knowledge")(knowledge)
app.command("red-lines")(red_lines)
app.command("calls")(calls)
