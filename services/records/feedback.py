"""How often agents found a rule wrong, counted from the kept verdicts.

An agent may change their mind about a card or a warning: of several verdicts on one of them the
last counts, in the time it was given. Verdicts on something without a rule are nobody's and left
out. A purged call takes its verdicts with it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.requests import RuleFeedback
from services.records.tables import utc_text

MOST = 1000
"""Rules of a reply at most; the message must fit on the bus."""
# The event's name stands in the text, since SQLite uses an index with a condition for that alone.
_COUNTED = text("""
    WITH given AS (
        SELECT
            json_extract(payload, '$.rule') AS rule,
            json_extract(payload, '$.verdict') AS verdict,
            json_extract(payload, '$.wall_time') AS wall_time,
            row_number() OVER (
                PARTITION BY
                    call_id,
                    json_extract(payload, '$.target'),
                    json_extract(payload, '$.target_id')
                ORDER BY number DESC
            ) AS back
        FROM events
        WHERE event = 'feedback.given'
    )
    SELECT
        rule,
        sum(verdict = 'useful') AS useful,
        sum(verdict = 'wrong') AS wrong,
        sum(verdict = 'dismissed') AS dismissed
    FROM given
    WHERE back = 1 AND rule <> '' AND julianday(wall_time) >= julianday(:since)
    GROUP BY rule
    ORDER BY wrong DESC, wrong * 1.0 / count(*) DESC, rule
    LIMIT :most
""")


async def count(connection: AsyncConnection, since: datetime) -> list[RuleFeedback]:
    """Verdicts given at `since` or later by rule, the one most often wrong first."""
    rows = await connection.execute(_COUNTED, {"since": utc_text(since), "most": MOST})
    return [RuleFeedback(**row) for row in rows.mappings()]
