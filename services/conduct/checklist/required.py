"""Required phrases: when their moment comes, when they are heard, and when they were missed.

A miss is told only once its moment has passed and the words that could have said it are known, and
only of a conversation: not of a wrong number, a silent call, or a caller who hung up at once.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from contracts.base import Event, Evidence, Role
from services.common.written import read
from services.conduct.call import Call
from services.conduct.channel import Span, Turn, Words
from services.conduct.checklist import names
from services.conduct.checklist.book import AFTER, DEALS_WITH, EXPLAINS, RequiredPhrase
from services.conduct.checklist.ticks import Tick
from services.conduct.notices import Notices, agent_words

Step = tuple[Call, list[Event]]
EXPLANATION = 40
"""An explanation has at least that many characters of the agent, said in one go."""
SIGNS = 2
"""And so many different signs of one."""
IN_ONE_GO_MS = 3_000
"""A longer pause divides what the agent says."""
MATTER = 12
"""So many characters of the caller tell what it is about."""
BRIEFLY = 8
"""Greetings, thanks and leave with fewer characters tell nothing beside."""
PLAIN = 24
"""A question for an address or for hours of so many characters needs no restating and no name."""
SHORT_MS = 30_000
"""A shorter call has no room for all polite words."""
NO_MATTER = 40
"""Who has said more than so many characters has not just dialled a wrong number."""
OPENING = 2
"""The opening is among so many first utterances of the agent."""
UTTERANCES = 4
"""An agent who said that much after the opening, or explained something, has led a conversation."""
ABOUT_MS = 12_000
"""How long before its moment a phrase may be said that belongs to that moment."""
TURN = 4
"""Characters of a caller's utterance that make it a turn, and no mere acknowledgement."""
ECHOED = 3
"""Pairs of syllables of the caller's that come back where the agent restates the matter."""
ECHOED_AT_LENGTH = 6
"""The same where the agent does not ask whether that is right."""
ASKS_BACK = ("对吗", "对吧", "对不对", "是吗", "是吧", "是不是", "没错吧", "对么")
_TELL_NOTHING = frozenset({"caller_asks", "thanks", "understood", "leaves"})
_OF_A_MATTER = frozenset({"caller_spoke", "matter_told", "name_told"})
"""What falls due by these is asked for only where there is a matter of some weight."""
_RECENT = 12
"""Utterances, the last ones, among which what belongs together is looked for."""


def started(call: Call, notices: Notices) -> Step:
    """The call is answered."""
    return _due(call, notices, "start", 0, call.started_id)


def heard(call: Call, notices: Notices, words: Words, role: Role) -> Step:
    """What an utterance, already part of the call, ticks off, and which moments come with it."""
    if not words.text:
        return call, []
    if role == "caller":
        return _caller_said(call, notices, words)
    call, events = _tick_off(call, notices, words)
    ticks = call.ticks
    if "closing" in words.marks.signs and ticks.closing is None:
        ticks = replace(ticks, closing=(words.end, words.event_id))
    if not _opens(call, words):
        ticks = replace(ticks, utterances=ticks.utterances + 1)
    call = replace(call, ticks=ticks)
    moments = [f"{AFTER}{sign}" for sign in sorted(words.marks.signs) if ":" not in sign]
    moments += sorted(_moments(words))
    if _explains(call, words):
        moments.append("explained")
        if ticks.explained is None:
            call = replace(call, ticks=replace(ticks, explained=words.end))
    for moment in moments:
        call, said = _due(call, notices, moment, words.end, words.event_id, agent_words(words))
        events += said
    return call, events


def judge(call: Call, notices: Notices) -> Step:
    """Thanks that fall due after a wait, and what was missed by now."""
    events: list[Event] = []
    for hold in call.holds[-2:]:
        if hold.end is None or hold.since in call.ticks.holds:
            continue
        if hold.end - hold.since >= notices.times.ms("thanks_from_s"):
            call = _with(call, holds=call.ticks.holds | {hold.since})
            call, said = _due(call, notices, "after_hold", hold.end, hold.event_id)
            events += said
    left: list[Tick] = []
    for tick in call.ticks.open:
        phrase = notices.required.by_id.get(tick.phrase)
        passed = _passed(call, tick, phrase) if phrase else None
        if passed is None:
            left.append(tick)
        elif phrase and _could_be_missed(call, phrase):
            at, cause = passed
            events.append(notices.missed(call, tick, at, cause))
    if len(left) < len(call.ticks.open):
        call = _with(call, open=tuple(left))
    return call, events


def _caller_said(call: Call, notices: Notices, words: Words) -> Step:
    ticks = call.ticks
    matter = _matter(words)
    plain = "plain_question" in words.marks.signs and matter <= PLAIN
    told = ticks.matter + matter
    weighty = ticks.weighty + (0 if plain else matter)
    signs = words.marks.signs & {"understood", "leaves"}
    if told <= NO_MATTER:
        signs |= words.marks.signs & {"wrong_number"}
    heard_at = {(sign, words.end) for sign in signs}
    moments = ["caller_spoke", *sorted(_moments(words))]
    if ticks.weighty < MATTER <= weighty:
        moments.append("matter_told")
    surname = ticks.surname or names.told(read(words.text), _asked_before(call, words))
    if surname and not ticks.surname:
        moments.append("name_told")
    if not words.marks.signs.isdisjoint({"understood", "thanks"}) and ticks.explained is not None:
        moments.append("caller_content")
    if "leaves" in signs:
        moments.append("caller_leaves")
    call = _with(call, matter=told, weighty=weighty, surname=surname, signs=ticks.signs | heard_at)
    events: list[Event] = []
    evidence = Evidence(words=words.text, role="caller", start_ms=words.start, end_ms=words.end)
    for moment in moments:
        call, said = _due(call, notices, moment, words.end, words.event_id, evidence)
        events += said
    return call, events


def _matter(words: Words) -> int:
    """How many characters of a caller's utterance tell what it is about: not 喂, 嗯, 好的谢谢."""
    spoken = words.manner.characters
    shown = words.marks.signs | words.manner.signs
    brief = spoken < BRIEFLY and not shown.isdisjoint(_TELL_NOTHING)
    return 0 if brief or words.marks.acknowledgement else spoken


def _moments(words: Words) -> set[str]:
    return {sign.removeprefix("moment:") for sign in words.marks.signs if "moment:" in sign}


def _due(
    call: Call,
    notices: Notices,
    moment: str,
    at: int,
    cause: str,
    evidence: Evidence | None = None,
) -> Step:
    """A moment has come: the phrases that fall due by it."""
    events: list[Event] = []
    for phrase in notices.required.phrases:
        ticks = call.ticks
        if moment not in phrase.due or any(tick.phrase == phrase.id for tick in ticks.open):
            continue
        if phrase.id in ticks.due and not phrase.again:
            continue
        if ticks.was_said(phrase.id) and not phrase.near:
            continue
        before = _about(call, phrase, at)
        if any((phrase.id, words.start) in ticks.said for words in before):
            continue
        call = _with(
            call,
            due=ticks.due | {phrase.id},
            open=(*ticks.open, Tick(phrase.id, at, cause, evidence)),
        )
        events.append(notices.phrase("due", call, phrase, at, cause))
        for words in before:
            if _says(call, phrase, words, notices):
                call, said = _said(call, notices, phrase, words)
                events += said
                break
    return call, events


def _about(call: Call, phrase: RequiredPhrase, at: int) -> list[Words]:
    """The agent's words up to a moment that may say a phrase that belongs to it."""
    if not phrase.near:
        return []
    return [w for w in call.agent.words[-_RECENT:] if at - ABOUT_MS <= w.end <= at]


def _tick_off(call: Call, notices: Notices, words: Words) -> Step:
    used = {s for s in words.marks.signs if s.startswith("polite:")}
    if not used <= call.ticks.polite:
        call = _with(call, polite=call.ticks.polite | used)
    events: list[Event] = []
    for phrase in notices.required.phrases:
        tick = next((tick for tick in call.ticks.open if tick.phrase == phrase.id), None)
        if tick is None and (phrase.near or call.ticks.was_said(phrase.id)):
            continue
        if tick is not None and phrase.near and words.end < tick.due - ABOUT_MS:
            continue
        if _says(call, phrase, words, notices):
            call, said = _said(call, notices, phrase, words)
            events += said
    return call, events


def _said(call: Call, notices: Notices, phrase: RequiredPhrase, words: Words) -> Step:
    left = tuple(tick for tick in call.ticks.open if tick.phrase != phrase.id)
    call = _with(call, open=left, said=call.ticks.said | {(phrase.id, words.start)})
    return call, [notices.phrase("said", call, phrase, words.start, words.event_id, words)]


def _says(call: Call, phrase: RequiredPhrase, words: Words, notices: Notices) -> bool:
    """Whether an utterance of the agent says a required phrase."""
    if phrase.id in words.marks.signs:
        return True
    match phrase.also:
        case "asks_to_wait":
            return bool(words.marks.request)
        case "name_used":
            titles = notices.required.titles
            return names.addressed(read(words.text), titles, call.ticks.surname)
        case "restated":
            return _restates(call, words)
        case "polite_words":
            return len(call.ticks.polite) >= notices.required.file.polite.at_least
    return False


def _restates(call: Call, words: Words) -> bool:
    """Whether the caller's own words come back: with a question whether that is right, or at
    length in what is said to the caller before anything is explained."""
    text = read(words.text)
    asks = _asks_back(words)
    if not asks and (call.ticks.explained is not None or "你" not in text.plain):
        return False
    callers = [w for w in call.caller.words[-_RECENT:] if w.start < words.start]
    theirs = {pair for said in callers for pair in pairwise(read(said.text).sounds)}
    return len(theirs & set(pairwise(text.sounds))) >= (ECHOED if asks else ECHOED_AT_LENGTH)


def _opens(call: Call, words: Words) -> bool:
    """Whether an utterance belongs to the opening; later on, 热线 is only a word."""
    return "opening" in words.marks.signs and words in call.agent.words[:OPENING]


def _asked_before(call: Call, words: Words) -> bool:
    """Whether the agent's last words before these asked for the name."""
    before = [w for w in call.agent.words[-_RECENT:] if w.text and w.start < words.start]
    return bool(before) and "name" in before[-1].marks.signs


def _explains(call: Call, words: Words) -> bool:
    """Whether the agent, up to these words and in one go, has explained something."""
    length, start, tells = 0, words.start, set[str]()
    for said in reversed(call.agent.words[-_RECENT:]):
        if said.start > words.start:
            continue
        # The opening may be long, but it explains nothing; nor does what asks back.
        if start - said.end > IN_ONE_GO_MS or _opens(call, said) or _asks_back(said):
            break
        if any(
            said.start < w.start < words.start and len(w.text) >= TURN
            for w in call.caller.words[-_RECENT:]
        ):
            break
        start = said.start
        if DEALS_WITH not in said.marks.signs:
            length += len(said.text)
            tells |= {sign for sign in said.marks.signs if sign.startswith(EXPLAINS)}
    return len(tells) >= SIGNS and length >= EXPLANATION


def _asks_back(words: Words) -> bool:
    """Whether an utterance asks if something is right."""
    plain = read(words.text).plain
    return any(tag in plain for tag in ASKS_BACK)


def _could_be_missed(call: Call, phrase: RequiredPhrase) -> bool:
    """Whether there was a conversation in which a phrase could be missed."""
    ticks = call.ticks
    if call.ended_by == "lost" or any(sign == "wrong_number" for sign, _ in ticks.signs):
        return False
    if phrase.passed == "second_turn":
        return True
    if phrase.also == "polite_words" and _had_no_room(call):
        return False
    led = ticks.explained is not None or ticks.utterances >= UTTERANCES
    of_weight = not _OF_A_MATTER.isdisjoint(phrase.due)
    return (ticks.weighty if of_weight else ticks.matter) >= MATTER and led


def _had_no_room(call: Call) -> bool:
    """Whether a call was too short for all polite words, or went on elsewhere."""
    return call.ended_by == "transfer" or (call.ended_at or 0) < SHORT_MS


def _passed(call: Call, tick: Tick, phrase: RequiredPhrase) -> tuple[int, str] | None:
    """When the moment of a phrase had passed, and by which event; None while it has not, or while
    words that may have said it are still to come."""
    if phrase.passed is None:
        return None
    by_us = call.ended_by in ("agent", "transfer")
    passed: tuple[int, str] | None = None
    if phrase.passed == "closing" and call.ticks.closing and call.ticks.closing[0] > tick.due:
        passed = call.ticks.closing
    elif phrase.passed == "second_turn":
        passed = _second_turn(call, tick.due)
    if passed is None and call.ended_at is not None and (by_us or phrase.passed == "ended"):
        passed = call.ended_at, call.ended_id
    if passed is None or _needless(call, tick, phrase, passed[0]):
        return None
    since = tick.due - ABOUT_MS if phrase.near else 0
    # The latest first: theirs are the words that are still to come.
    spans = reversed(call.agent.between(since, passed[0]))
    return passed if all(_known(call, span) for span in spans) else None


def _needless(call: Call, tick: Tick, phrase: RequiredPhrase, until: int) -> bool:
    """Whether the caller made a phrase needless before its moment had passed."""
    return any(sign in phrase.unless and tick.due <= at <= until for sign, at in call.ticks.signs)


def _second_turn(call: Call, since: int) -> tuple[int, str] | None:
    """The end of the agent's second turn after a moment: the caller has answered two of them."""
    answers = 0
    spoken = False
    for span in call.spans_after(since):
        if span.role == "agent":
            spoken = spoken or not span.noise
        elif spoken and _is_turn(call, span):
            answers, spoken = answers + 1, False
            if answers == 2:
                return span.start, span.event_id
    return None


def _is_turn(call: Call, span: Span) -> bool:
    """Whether the caller says more in a stretch than an acknowledgement."""
    return any(len(words.text) >= TURN for words in call.caller.words_of(Turn((span,))))


def _known(call: Call, span: Span) -> bool:
    """Whether the words of a stretch of the agent's are known. Where nothing more will come, words
    that end early will do; a stretch that was never decoded may have held anything."""
    if call.agent.settled(span):
        return True
    return call.settled and bool(call.agent.words_of(Turn((span,))))


def _with(call: Call, **changes: Any) -> Call:
    return replace(call, ticks=replace(call.ticks, **changes))
