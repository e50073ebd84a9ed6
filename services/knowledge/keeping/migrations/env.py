"""How Alembic runs the migrations: on the connection it is given, in one transaction."""

from __future__ import annotations

from alembic import context

from services.knowledge.keeping.tables import Tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Tables.metadata,
    # SQLite can undo changes of tables, too: a migration that fails leaves all as it was.
    transactional_ddl=True,
)
context.run_migrations()
