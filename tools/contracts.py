"""`banxi contracts`: AsyncAPI and JSON Schemas generated from the models, and their freshness."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.json_schema import models_json_schema

from contracts import door, subjects
from contracts.base import Contract
from contracts.events import KEPT, LIVE
from contracts.news import NEWS
from contracts.requests import REQUESTS, Failure
from services.common.version import VERSION

app = typer.Typer(help="What crosses the bus, as documents generated from the models.")

FOLDER = Path(__file__).parent.parent / "docs" / "contracts"
DOOR = (door.Start, door.Stop, door.Started, door.Ack, door.DoorError)

FolderOption = Annotated[Path, typer.Option("--to", help="Folder of the documents.")]


def models() -> dict[str, type[Contract]]:
    """Every message that others build on: name of its schema → model."""
    found: dict[str, type[Contract]] = {}
    for event in (*KEPT.values(), *LIVE.values()):
        found[event.__name__] = event
    for request in REQUESTS:
        found[request.__name__] = request
        found[request.reply.__name__] = request.reply
    for news in NEWS.values():
        found[news.__name__] = news
    found[Failure.__name__] = Failure
    for message in DOOR:
        found[f"Door{message.__name__.removeprefix('Door')}"] = message
    return found


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3 document of the bus."""
    listed = [(m, "validation") for m in models().values()]
    _, definitions = models_json_schema(listed, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}

    def message(model: type[Contract]) -> None:
        messages[model.__name__] = {
            "name": model.__name__,
            "summary": _first_line(model),
            "contentType": "application/json",
            "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
        }

    def channel(key: str, address: str, *models_: type[Contract]) -> None:
        channels[key] = {
            "address": address,
            "parameters": {
                name: {"description": text}
                for name, text in _PARAMETERS.items()
                if f"{{{name}}}" in address
            },
            "messages": {
                m.__name__: {"$ref": f"#/components/messages/{m.__name__}"} for m in models_
            },
        }
        for m in models_:
            message(m)

    for template, events in ((subjects.CALL, KEPT), (subjects.LIVE, LIVE), (subjects.NEWS, NEWS)):
        for name, model in events.items():
            channel(name, template.replace("{event}", name), model)
            operations[f"receive.{name}"] = {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{name}"},
                "summary": _first_line(model),
            }
    for request in REQUESTS:
        key = f"cmd.{request.service.strip('{}')}.{request.verb}"
        address = subjects.COMMAND.replace("{verb}", request.verb)
        if "{" not in request.service:
            address = address.replace("{service}", request.service)
        channel(key, address, request)
        reply = f"{key}.reply"
        channels[reply] = {
            "address": None,
            "messages": {
                m.__name__: {"$ref": f"#/components/messages/{m.__name__}"}
                for m in (request.reply, Failure)
            },
        }
        message(request.reply)
        operations[f"send.{key}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{key}"},
            "summary": _first_line(request),
            "reply": {"channel": {"$ref": f"#/channels/{reply}"}},
        }
    message(Failure)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Banxi",
            "version": VERSION,
            "description": "Events and requests of Banxi on NATS. CloudEvents 1.0 attributes and "
            "W3C traceparent stand in the NATS headers; payloads are plain JSON.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "127.0.0.1:4222", "protocol": "nats"}},
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": definitions.get("$defs", {})},
    }


_PARAMETERS = {
    "site": "The hotline site: `[A-Za-z0-9_-]{1,64}`.",
    "call_id": "The call: `[A-Za-z0-9_-]{1,64}`.",
    "service": "The service asked.",
}


def _first_line(model: type[Contract]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def documents() -> dict[str, str]:
    """Every generated file: its name below the folder → its text."""
    files = {"asyncapi.json": _text(asyncapi())}
    for name, model in models().items():
        files[f"schemas/{name}.json"] = _text(model.model_json_schema())
    return files


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


@app.command()
def generate(to: FolderOption = FOLDER) -> None:
    """Write AsyncAPI 3 (`asyncapi.json`) and one JSON Schema a message (`schemas/`)."""
    wanted = documents()
    for old in to.glob("schemas/*.json"):
        if f"schemas/{old.name}" not in wanted:
            old.unlink()
    for name, text in wanted.items():
        path = to / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    typer.echo(f"{len(wanted)} files in {to}")


@app.command()
def check(to: FolderOption = FOLDER) -> None:
    """Fail when the documents differ from what the models say now."""
    stale = [
        name
        for name, text in documents().items()
        if not (to / name).exists() or (to / name).read_text(encoding="utf-8") != text
    ]
    if stale:
        typer.echo(f"stale: {', '.join(stale[:5])}; run `banxi contracts generate`", err=True)
        raise typer.Exit(1)
    typer.echo("contracts are fresh")
