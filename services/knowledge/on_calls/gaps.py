"""Which utterances clearly ask for a matter: what is not found then is a gap of the base. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from services.knowledge.finding.wording import characters, content, fold, subject

_ASKS = re.compile(
    r"怎么(?!样|说|回事|这样|这么|能这样|还|又|知道|搞的|称呼)|咋(?:个|办|弄|整)|如何|哪里|哪儿|在哪|去哪|到哪|上哪|哪个(?:部门|窗口|单位)"
    r"|多久|多少|多长时间|几(?:天|点|年|个月)|什么(?:材料|条件|手续|时候|地方|标准|政策|要求|流程|证)|要不要|需不需要|是否|有没有(?:补贴|政策|规定)"
    r"|(?:能不能|可不可以|能否|可以|能).{2,}|.{4,}(?:吗|么)[？?。]?$"
    r"|(?:想|要)?(?:咨询|了解|问|查|办|申请|报销|领取?)(?:一下|下)?.{3,}"
)
_TALK = re.compile(
    r"听得?(?:见|到|清|懂)|大点声|大声|再说一遍|重复一遍|说慢|慢点说|等一下|稍等|在吗|有人吗|喂|贵姓|称呼|工号"
    r"|你们?领导|负责人|给个说法|怎么回事|什么态度|凭什么|投诉你|记一下|记下来|加个?微信|转人工|接线员|机器人|再见|拜拜|挂了"
    r"|天气|吃饭|心情"
)
LEAST_SUBJECT = 3
"""Characters that say what it is about, beside those that can be asked of anything."""
LEAST_CONTENT = 5
SAME_FROM = 0.34
"""Share of common characters from which two questions are about one matter."""
OF_CARD = 0.5
"""Share of a question's subject in a card from which it asks on about that card."""


def asks_matter(text: str, talk: Sequence[str]) -> bool:
    """Whether an utterance clearly asks for a matter, and is no talk. `talk`: lines that ask
    nothing, as in the background."""
    if len(content(text)) < LEAST_CONTENT or len(subject(text)) < LEAST_SUBJECT:
        return False
    if not _ASKS.search(text) or _TALK.search(text):
        return False
    return not any(likeness(text, line) >= SAME_FROM for line in talk)


def same_matter(one: str, other: str) -> bool:
    """Whether two questions of one call are about the same matter."""
    return likeness(subject(one), subject(other)) >= SAME_FROM


def asks_on(text: str, card: str) -> bool:
    """Whether a question goes on about a card, given by all its text."""
    asked = set(subject(text))
    return len(asked & set(fold(card))) >= OF_CARD * len(asked)


def likeness(one: str, other: str) -> float:
    """Share of common characters and pairs of them, 0–1."""
    a, b = characters(one), characters(other)
    return len(a & b) / len(a | b) if a and b else 0.0
