"""The group `banxi bench`: costs beside a reference of the same run, since machines are noisy."""

from __future__ import annotations

import typer

from tools.bench_asr import bench_asr
from tools.bench_call_type import bench_call_type
from tools.bench_conduct import bench_conduct
from tools.bench_knowledge import bench_knowledge
from tools.bench_pipeline import pipeline

app = typer.Typer(
    no_args_is_help=True,
    help="Measure costs side by side with a reference operation in the same run.",
)
app.command("pipeline")(pipeline)
app.command("asr")(bench_asr)
app.command("conduct")(bench_conduct)
app.command("call-type")(bench_call_type)
app.command("knowledge")(bench_knowledge)


@app.command("all")
def every() -> None:
    """Run every benchmark, one after the other."""
    pipeline()
    bench_asr()
    bench_conduct()
    bench_call_type()
    bench_knowledge()
