"""Who hangs up: the agent waits for the caller to do it, with three exceptions.

After the silent-caller script; after abuse, where the agent had said that the call would be ended;
and where the call was being transferred. Where none can be heard, it is raised at once: firm, or
provisional as long as the last words before the hang-up are still to come.
"""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event
from contracts.warning import WarningKind
from services.conduct.call import Call
from services.conduct.channel import Words
from services.conduct.notices import Notices
from services.conduct.waits.silent_caller import script_was_run

Step = tuple[Call, list[Event]]
KIND: WarningKind = "agent_hung_up_first"
TRANSFER_MS = 30_000
"""A transfer is announced at most so long before the agent leaves the call."""
TRANSFER_TURNS = 3
"""And among so many of the agent's last utterances."""
LAST = 3
"""How many of each side's last stretches must be known."""


def judge(call: Call, notices: Notices) -> Step:
    """At the hang-up: whether the agent hung up on a caller who was still there; once the words
    before it are known: whether that holds. Words that come later still may excuse it."""
    if call.ended_by != "agent" or call.ended_at is None:
        return call, []
    at = call.ended_at
    excuse, cause = _excuse(call, at)
    known = call.settled or _known(call, at)
    if not call.hang_up_judged:
        call = replace(call, hang_up_judged=True)
        if excuse:
            return call, []
        causes = [call.ended_id]
        warning = notices.warning(
            call, KIND, at=at, end=at, due=at, causes=causes, provisional=not known
        )
        call = replace(call, hang_up_warned=warning.warning_id, hang_up_open=not known)
        return call, [warning]
    warned = call.hang_up_warned
    if excuse and warned:
        call = replace(call, hang_up_warned="", hang_up_open=False)
        cause = cause or call.ended_id
        return call, [notices.withdrawn(call, KIND, warned, at, excuse, cause)]
    if call.hang_up_open and known:
        said = [w for w in call.agent.words[-LAST:] if w.text and w.start <= at]
        call = replace(call, hang_up_open=False)
        return call, [notices.confirmed(call, KIND, warned, at, said[-1:], call.ended_id)]
    return call, []


def transfer_announced(call: Call, ended_at: int) -> Words | None:
    """The agent's words, among the last before the hang-up, that a transfer follows."""
    said = [words for words in call.agent.words if words.text and words.start <= ended_at]
    for words in said[-TRANSFER_TURNS:]:
        if "transfer" in words.manner.signs and ended_at - words.end <= TRANSFER_MS:
            return words
    return None


def _known(call: Call, ended_at: int) -> bool:
    """Whether what both said before the hang-up is known."""
    return all(
        channel.settled(span)
        for channel in (call.agent, call.caller)
        for span in [span for span in channel.spans if span.start <= ended_at][-LAST:]
    )


def _excuse(call: Call, ended_at: int) -> tuple[str, str]:
    """Why the agent was free to hang up, in words for the agent, and the event that shows it;
    empty where nothing shows it."""
    if script_was_run(call):
        return "已按无声电话的步骤处理。", ""
    said = [words for words in call.agent.words if words.start <= ended_at]
    abused = next((w for w in call.caller.words if "abuse" in w.manner.signs), None)
    if abused and abused.start <= ended_at:
        for words in said:
            if words.start > abused.start and "abuse_warning" in words.manner.signs:
                return "来电人辱骂，坐席已事先提醒将结束通话。", words.event_id
    if transfer := transfer_announced(call, ended_at):
        return "坐席已说明转接。", transfer.event_id
    return "", ""
