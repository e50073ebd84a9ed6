"""What the editors' page says when the knowledge base did not do what was asked."""

from __future__ import annotations

import re

from pydantic import ValidationError

from contracts.requests import Problem
from services.desk.kb_rows import in_chinese

FIELDS: dict[str, str] = {
    "question": "问题",
    "answer": "答复",
    "department": "部门",
    "region": "适用地区",
    "similar": "相似问法",
    "valid_from": "有效期从",
    "valid_to": "有效期至",
    "document": "依据文件",
    "version": "版本",
    "liaison": "联络员",
    "phone": "电话",
    "intake": "来电种类",
    "tags": "标签",
    "confidential": "不对外",
    "reason": "理由",
    "from_day": "从哪天起",
    "text": "搜索的词",
    "name": "名称",
    "aliases": "别称",
    "address": "地址",
    "hours": "办公时间",
    "liaison_phone": "联络员电话",
    "office_id": "编号",
    "entry_id": "条目编号",
    "authorised_by": "授权人",
}
"""Fields of the requests → what the page calls them."""

FOUR_EYES = {
    "decide": "这份草稿是您自己起草的，要由另一位采编员决定。",
    "discard": "这份草稿是别人起草的，只能由起草人自己放弃；您可以退回它。",
}
"""Verb → what is said where a request is refused because of who asks."""
_CODES = {
    "unavailable": "知识库暂时没有回应，没有办成。写的内容还在，请稍后再试。",
    "not_found": "这一条已经不在了，请刷新列表。",
    "conflict": "这一条刚刚由别人改动过。",
    "invalid": "知识库没有接受，请核对后再试。",
}
UNSURE = (
    "没有收到知识库的答复，可能没有写入：请先到“全部条目”或“机构目录”里核对，再决定要不要重来。"
)
"""What is said where an import may have been done although nothing was heard of it."""
_LONG = ("apply", "import_office_file")
_KINDS = {
    "string_too_short": "不能是空的",
    "string_too_long": "太长了",
    "too_long": "太多了",
    "missing": "不能是空的",
    "date_from_datetime_parsing": "不是日期",
    "date_parsing": "不是日期",
    "literal_error": "不是可以选的值",
}
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def sentence(problem: Problem, verb: str) -> str:
    """What the page says when the service refused: its own words where they are for editors."""
    if said := in_chinese(problem.message):
        return f"{said}。"
    if _CHINESE.search(problem.message):
        return problem.message.rstrip("。") + "。"
    if problem.code == "invalid" and problem.field:
        if problem.field == "by" and verb in FOUR_EYES:
            return FOUR_EYES[verb]
        return f"“{_name(problem.field)}”没有被接受，请核对后再试。"
    if problem.code == "unavailable" and verb in _LONG:
        return UNSURE
    return _CODES.get(problem.code, "没有办成，问题已经记录，请稍后再试。")


def field_of(error: ValidationError) -> tuple[str, str]:
    """The first field of a request that is no contract, and what is said of it. What was typed
    is not repeated."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    names = [part for part in first["loc"] if isinstance(part, str) and part in FIELDS]
    if not names:
        return "", "这个操作没有看懂，请刷新页面后再试。"
    return names[-1], f"“{FIELDS[names[-1]]}”{_KINDS.get(first['type'], '没有写对')}。"


def _name(field: str) -> str:
    return FIELDS.get(field.rpartition(".")[2], field)
