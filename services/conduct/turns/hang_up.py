"""Who hangs up: the agent waits for the caller to do it, with three exceptions.

After the silent-caller script; after abuse, where the agent had said that the call would be ended;
and where the call was being transferred. Where none can be heard, it is raised.
"""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event
from services.conduct.call import Call
from services.conduct.notices import Notices
from services.conduct.waits.silent_caller import script_was_run

Step = tuple[Call, list[Event]]
TRANSFER_MS = 30_000
"""A transfer is announced at most so long before the agent leaves the call."""
TRANSFER_TURNS = 3
"""And among so many of the agent's last utterances."""


def judge(call: Call, notices: Notices) -> Step:
    """At the hang-up: whether the agent hung up on a caller who was still there. Words that come
    later may excuse it."""
    if call.ended_by != "agent" or call.ended_at is None:
        return call, []
    at = call.ended_at
    excuse, cause = _excuse(call, at)
    if not call.hang_up_judged:
        call = replace(call, hang_up_judged=True)
        if excuse:
            return call, []
        causes = [call.ended_id]
        warning = notices.warning(call, "agent_hung_up_first", at=at, end=at, due=at, causes=causes)
        return replace(call, hang_up_warned=warning.warning_id), [warning]
    if not (excuse and call.hang_up_warned):
        return call, []
    withdrawn = notices.withdrawn(
        call, "agent_hung_up_first", call.hang_up_warned, at, excuse, cause or call.ended_id
    )
    return replace(call, hang_up_warned=""), [withdrawn]


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
    for words in [words for words in said if words.text][-TRANSFER_TURNS:]:
        if "transfer" in words.manner.signs and ended_at - words.end <= TRANSFER_MS:
            return "坐席已说明转接。", words.event_id
    return "", ""
