"""The tables of the database, from version to version (Alembic)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).with_name("migrations")


class Newer(RuntimeError):
    """A newer program has changed the tables. The text says which versions."""


def bring_up_to_date(connection: Connection, to: str = "heads") -> None:
    """Run the migrations a database has not had, in the transaction that is open. Raises Newer."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    stands = MigrationContext.configure(connection).get_current_heads()
    if unknown := set(stands) - known:
        raise Newer(
            f"tables {', '.join(sorted(unknown))}; this one knows {', '.join(sorted(known))}"
        )
    if set(stands) != set(scripts.get_heads()) or to != "heads":
        command.upgrade(config, to)
