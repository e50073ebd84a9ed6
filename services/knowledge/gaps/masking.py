"""What is taken out of a caller's words before they are kept: numbers and names. Pure.

Only obvious names are found (我叫张伟，…): a rule that guessed more would eat the question.
"""

from __future__ import annotations

import re

MASK = "●●●●"
"""Stands for a number, however long it was."""
NAME = "●●"

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏"
    "吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万"
    "钱严覃武戴莫孔向汤欧"
)
_DIGITS = r"[0-9０-９○〇]"
_NUMBER = re.compile(rf"{_DIGITS}(?:[\s\-－—]?{_DIGITS}){{3,}}[xXｘＸ]?")
# 二〇二五 is a year and stays; a telephone number spelled out is longer.
_SPELLED = re.compile(
    r"[零〇一二两三四五六七八九幺洞拐](?:[\s，,、]?[零〇一二两三四五六七八九幺洞拐]){4,}"
)
_END = r"(?=[，,。.、；;！!？?\s]|的|啊|呀|哈|$)"
_CALLED = re.compile(
    rf"((?:我|本人)(?:名字)?(?:叫做|名叫|叫))[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}{_END}"
)
_FAMILY = re.compile(
    rf"(我(?:免贵)?姓)[{_SURNAMES}](?:(?=[，,。.、；;！!？?\s啊呀哈叫是]|$)"
    rf"|[\u4e00-\u9fff]{{1,2}}{_END})(?:[，,][\u4e00-\u9fff]{{2}}[{_SURNAMES}]{_END})?"
)
_AM = re.compile(
    rf"(我是)[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}(?<![人生员工民户者师兵的吗呢身]){_END}"
)


def masked(words: str) -> str:
    """A caller's words without what tells who he is."""
    words = _SPELLED.sub(MASK, _NUMBER.sub(MASK, words))
    for name in (_CALLED, _FAMILY, _AM):
        words = name.sub(rf"\g<1>{NAME}", words)
    return words
