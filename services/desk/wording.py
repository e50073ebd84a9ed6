"""The words people read: plain, polite Chinese, no system words."""

from __future__ import annotations

import re

from contracts.call import EndedBy
from contracts.requests import Problem
from contracts.warning import WarningKind

WARNING_TITLES: dict[WarningKind, str] = {
    "forbidden_phrase": "这句不宜说",
    "silence": "双方都没有说话",
    "hold_over_30s": "让对方久等了",
    "hold_unannounced": "让对方等待前没有说明",
    "hold_without_thanks": "等待后没有致谢",
    "caller_unattended": "对方在问是否有人",
    "silent_caller": "来电没有声音",
    "interruption": "刚才打断了对方",
    "talking_over": "对方说话时没有停下",
    "interrupted": "对方插话",
    "agent_hung_up_first": "先于对方挂机",
    "missing_opening": "开头语没有说全",
    "missing_closing": "结束语没有说全",
    "missing_phrase": "有一句该说的还没有说",
    "pace": "语速偏快",
    "verbal_tic": "口头语偏多",
    "no_acknowledgement": "很久没有应答对方",
    "asks_to_repeat": "多次请对方重复",
}

ENDED_BY: dict[EndedBy, str] = {
    "agent": "坐席挂机",
    "caller": "对方挂机",
    "transfer": "已转接",
    "unknown": "已挂机",
    "lost": "线路中断",
}

NOT_RECORDED = "未记录"

_CODES = {
    "unavailable": "{service}暂时没有回应，请稍后再试。",
    "not_found": "这一条已经不在了。",
    "conflict": "这一条刚刚由别人处理了。",
    "invalid": "这个操作没有被接受，请刷新页面后再试。",
}
_OWN_WORDS = {("conduct", "not_found"): "评分服务里没有这通电话的评分表。"}
_SERVICES = {"escalation": "处置服务", "knowledge": "知识库", "conduct": "评分服务"}

_SOURCE = re.compile(r"^([A-Z])(\d+)?((?:\([^)]+\)\d*)*)$")


def rule_source(source: str) -> str:
    """`A12(一)` → `规范 A 第 12 条（一）`; what has another form stays as it is."""
    match = _SOURCE.match(source)
    if not match:
        return source
    document, number, part = match.groups()
    article = f" 第 {number} 条" if number else ""
    return f"规范 {document}{article}{part.replace('(', '（').replace(')', '）')}"


def sentence(problem: Problem, service: str) -> str:
    """What a page says when a request to another service failed."""
    if own := _OWN_WORDS.get((service, problem.code)):
        return own
    known = _CODES.get(problem.code, "没有办成，问题已经记录，请稍后再试。")
    return known.format(service=_SERVICES.get(service, "对方服务"))


def duration(ms: int) -> str:
    """`222000` → `03:42`."""
    return f"{ms // 60_000:02d}:{ms // 1000 % 60:02d}"
