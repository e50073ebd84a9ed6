"""What was really published of a call's moments stands above what would be said now. Pure."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Role
from contracts.card import CardShown, CardWithdrawn
from contracts.situation import SituationRecognised
from services.call_type.situations.story import Lying, Story

CARD = "situation-"
"""What ids of these cards begin with; the id of the situation follows."""


def remember(story: Story, published: CardShown | CardWithdrawn | SituationRecognised) -> Story:
    """The call after one of our own events came back. After a restart a call is heard again from
    the stream, but perhaps without vectors: then it tells what was not said, or otherwise."""
    if isinstance(published, SituationRecognised):
        before = story.recognised.get(published.situation, 0)
        at = max(before, published.at_ms)
        return replace(story, recognised={**story.recognised, published.situation: at})
    situation = published.card_id.removeprefix(CARD)
    if isinstance(published, CardWithdrawn):
        lying = story.lying
        gone = lying and lying.situation == situation and lying.at_ms <= published.at_ms
        return replace(story, lying=None) if gone else story
    if story.shown.get(situation, -1) >= published.at_ms:
        return story
    role = published.evidence[0].role if published.evidence else None
    return replace(
        story,
        shown={**story.shown, situation: published.at_ms},
        lying=laid(published, role) if not story.over else None,
    )


def laid(card: CardShown, role: Role | None) -> Lying:
    """A card of a moment as it lies there; `role`: whose words brought it."""
    assert card.expires_ms is not None
    return Lying(
        situation=card.card_id.removeprefix(CARD),
        at_ms=card.at_ms,
        expires_ms=card.expires_ms,
        priority=card.priority,
        body=card.body,
        event_id=card.event_id,
        role=role,
        until_ms=card.at_ms,
    )
