"""Words as they are compared: what counts of them, as characters and as sounds."""

from __future__ import annotations

import re
from functools import lru_cache

from services.common.sound import blurred, syllables
from services.common.text import ALIKE

_NOT_WORDS = re.compile(r"[\W_]+")


def letters(text: str) -> str:
    """Letters, digits and Chinese characters only, in lower case."""
    return _NOT_WORDS.sub("", text.lower())


def fold(text: str) -> str:
    """As `letters`, and characters that are not told apart as one."""
    return letters(text).translate(ALIKE)


def _any_of(words: str) -> re.Pattern[str]:
    """Any of some words as they look folded, the longest first: none is cut out of a longer one."""
    folded = {fold(word) for word in words.split()}
    return re.compile("|".join(sorted(folded, key=lambda word: (-len(word), word))))


_FILLERS = _any_of(
    "嗯 哦 啊 呃 唉 哎 哎呀 诶 欸 呀 呢 吧 嘛 啦 喽 咯 哈 喂 你好 您好 那个 这个 就是 "
    "就是说 然后 请问 麻烦 谢谢 谢谢你 好 好的 行 对 对对 是 是的 是啊 我 你 我想 我要 "
    "问一下 问下 问问 了 的 那 这 再见 拜拜 没有 没事 没了 不是 知道 知道了 明白 明白了 "
    "清楚 可以 可以的 一下"
)
# What can be asked of any matter: alone it does not say of which.
_GENERIC = _any_of(
    "什么 怎么 怎么办 怎样 如何 哪里 哪儿 哪个 地方 多久 多少 多长 时间 时候 几天 几点 "
    "材料 手续 资料 证件 条件 流程 申请 办理 办 弄 要 需要 带 带些 些 去 来 到 拿 给 能 "
    "能不能 可不可以 行不行 吗 么 多少钱 费用 钱 要求 地址 电话 号码 准备 提供 具体 大概 "
    "一般 事 事情 问题 有 没 在 会 还 都 也 就 才 再 又 找 谁 部门 咋 咋办 你们 我们 "
    "他们 这边 那边 这里 那里 这样 那样 这种 帮 帮忙 帮我 看 看看 查 查查 想 说 讲 听 "
    "应该 现在"
)


def content(text: str) -> str:
    """What is left of a text without fillers, acknowledgements and courtesies, folded."""
    return _FILLERS.sub("", fold(text))


def subject(text: str) -> str:
    """The content without what can be asked of any matter: nothing of 要带什么材料."""
    return _GENERIC.sub("", content(text))


def characters(text: str) -> frozenset[str]:
    """The characters of a text and its pairs of neighbouring ones."""
    folded = fold(text)
    return frozenset(folded) | {folded[i : i + 2] for i in range(len(folded) - 1)}


def sounds(text: str) -> frozenset[str]:
    """The pairs of neighbouring syllables of a text, without tones and in the way telephones and
    recognisers blur them: 社保卡 and 射宝卡 give the same."""
    heard = heard_as(letters(text))
    return frozenset(f"{heard[i]} {heard[i + 1]}" for i in range(len(heard) - 1))


@lru_cache(maxsize=4096)
def heard_as(text: str) -> tuple[str, ...]:
    """The blurred syllable of each character of a text; letters and digits stand for themselves."""
    return tuple(blurred(syllable) for syllable in syllables(text))
