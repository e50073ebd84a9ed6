"""Why an act on an entry was refused, in words for editors."""

from __future__ import annotations

from typing import NamedTuple

from contracts.requests import Problem
from services.common.bus import RequestFailed
from services.knowledge.entries.authority import Reason


class Said(NamedTuple):
    """A refusal as a request answers it."""

    code: str
    """`Problem.code`."""
    field: str | None
    """The field that is wrong, where it is one."""
    message: str
    """One sentence that says what to do."""


SAID: dict[Reason, Said] = {
    "nobody": Said("invalid", "by", "请写明由谁操作"),
    "stale": Said("conflict", "revision", "这一条已有更新的一版：请重新打开，看过再操作"),
    "no_draft": Said("conflict", "revision", "没有待授权的草稿：可能已有人处理，请重新打开"),
    "own_draft": Said("invalid", "by", "起草人不能授权自己的草稿：请由另一位采编员授权"),
    "not_own": Said("invalid", "by", "只有起草人能收回草稿：不同意请由他人“退回”"),
    "no_answer": Said("invalid", "answer", "没有写答复内容，不能授权答复：请补上，或授权为只转接"),
    "confidential": Said(
        "invalid", "confidential", "标为不对外的条目不能授权答复：只能授权为只转接"
    ),
    "past": Said("invalid", "from_day", "生效日期已经过去：留空即刻生效，或改选今天以后的日子"),
    "never_valid": Said("invalid", "valid_to", "有效期在生效以前就已截止：请先改有效期"),
    "backwards": Said("invalid", "valid_to", "有效期的截止日早于开始日"),
    "nothing_decided": Said("conflict", None, "这一条还没有授权过的内容，无可撤回"),
    "already": Said("conflict", None, "这一条已经不作答复了，无需再撤回"),
    "unnamed": Said("invalid", "authorised_by", "标为已授权，却没有写明授权人"),
    "reserved": Said(
        "invalid", "id", "编号不能以 office- 或 wording- 开头：这是机构和统一口径用的"
    ),
    "withdrawn": Said(
        "conflict", "id", "这一条已撤回，导入不能恢复它：请另写草稿，由另一位采编员授权"
    ),
    "own_import": Said("invalid", "authorised_by", "导入人不能自己授权：请写明另一位授权人"),
}


def failure(reason: Reason) -> RequestFailed:
    """The refusal as a request's failure."""
    said = SAID[reason]
    return RequestFailed(Problem(code=said.code, message=said.message, field=said.field))
