"""The pieces of an answer that are read aloud by themselves: steps, telephone numbers, addresses,
hours, papers. Pure.

A digit read wrong sends a caller to the wrong place, so only what surely is such a piece is set
apart; each is a piece of the answer exactly as it stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from contracts.card import Aloud

MOST = 8
"""Pieces of one answer."""
Piece = tuple[int, int, Aloud]
"""Where it stands in the answer, and what it is."""

_DASH = "[-－–—]"
_LONG_PHONE = (
    rf"0\d{{2,3}}[ {_DASH[1:-1]}]?\d{{3,4}}[ {_DASH[1:-1]}]?\d{{4}}"
    rf"|[48]00[ {_DASH[1:-1]}]?\d{{3,4}}[ {_DASH[1:-1]}]?\d{{3,4}}"
    r"|1[3-9]\d[ -]?\d{4}[ -]?\d{4}"
)
_EXTENSION = r"(?:(?:转|分机)\d{1,6})?"
_SIDES = (r"(?<![\d.A-Za-z－–—-])", r"(?![\d.]*\d|[－–—-]\d|[A-Za-z])")
_PHONE = re.compile(f"{_SIDES[0]}(?:{_LONG_PHONE}){_EXTENSION}{_SIDES[1]}")
_SHORT = re.compile(
    rf"{_SIDES[0]}(?P<number>1[12]\d(?:\d{{2}})?|9[56]\d{{3,4}}|[2-8]\d{{6,7}}){_EXTENSION}{_SIDES[1]}"
)
_CALLED = re.compile(
    r"(?:拨打|拨|电话|热线|致电|打|联系)[^，,。；;\d]{0,8}(?:\d{3,6}[、，和或及/]){0,4}$"
)
_AFTER_SHORT = re.compile(r"\s*(?:热线|客服|电话|政务|按语音|人工)")
_COUNTED = re.compile(
    r"\s*(?:元|块|人|个|户|份|年|月|日|号(?!码)|天|万|亿|%|％|平方|公里|米|件|条|分|次)"
)
_IS_AN_ID = re.compile(
    r"(?:编号|单号|账号|账户|帐号|卡号|证号|户号|证件号码|身份证号码?|信用代码|批次|文号|编码|代码)"
    r"[为是：:\s]{0,2}$"
)

_N = "[0-9一二两三四五六七八九十]"
_PART = "(?:上午|下午|早上|早晨|中午|晚上|傍晚|凌晨)"
_CLOCK = (
    rf"(?:\d{{1,2}}[:：]\d{{2}}|{_N}{{1,3}}点(?:半|整|一刻|三刻|{_N}{{1,3}}分?)?"
    rf"|{_N}{{1,3}}时(?:{_N}{{1,3}}分)?)"
)
_TO = "[ ]?(?:至|到|[-－–—~～])[ ]?"
_RANGE = rf"{_PART}?{_CLOCK}{_TO}{_PART}?{_CLOCK}"
_DAYS = (
    rf"(?:(?:每?(?:周|星期)[一二三四五六日天](?:{_TO}(?:周|星期)?[一二三四五六日天])?"
    r"|法定工作日|工作日|每天|每日|节假日)[的，,：:（( ]{0,2})"
)
_HOURS = re.compile(
    rf"(?<![第\d:：]){_DAYS}?(?:{_RANGE}(?:[、，,；;和及 ]{{1,2}}{_RANGE})*|{_PART}{_CLOCK})"
)

_ADDRESS = re.compile(
    r"(?P<road>[\u4e00-\u9fff]{1,24}?(?:大道|大街|路|街|道|巷|弄|胡同)[东西南北中]?段?)(?:[0-9]+|[一二三四五六七八九十百零]+)"
    r"号(?:院|楼|附\d+号)?(?:[^，,。；;、（()）\s：:]{0,14}?(?:楼|层|室|大厅|窗口|中心|座))*"
)
_BEFORE_ADDRESS = re.compile(
    r".*(?:地址[为是在]?|地点[为是在]?|位于|设在|搬到|搬至|迁至|就在|[到在去往至])"
)

_PAPER = (
    r"(?:(?:(?![到去向往至给、和与或及]|可以|办理|申请)[\u4e00-\u9fffA-Za-z]){0,12}?(?:身份证明|身份证|户口簿|户口本|户籍证明|出生医学证明|委托书|授权书|证明书|证明"
    r"|申请表|登记表|照片|回执|发票|合同|票据|流水|人事档案|档案|病历|诊断书|清单|报告|原卡|社保卡|医保卡|营业执照|银行卡|结婚证"
    r"|驾驶证|行驶证|居住证(?!明)|毕业证|证书|许可证)(?:的?(?:原件(?:[和及]复印件)?|复印件))?(?:[一二两三四\d]+[份张])?)"
)
_AND = "(?:以及|或者|[、和及与或])"
_PAPERS = re.compile(
    rf"(?:携带|带好|带上|带齐|备齐|准备好?|提供|提交|出示|需带|持|凭|带)"
    rf"(?:以下材料[:：]?|本人有效|本人|有效)?(?P<papers>{_PAPER}(?:{_AND}{_PAPER})+)(?!{_AND})"
)

_ORDINAL = re.compile(
    r"(?:(?<=^)|(?<=[。；;，,：:\n ]))\s*"
    r"(?:第(?P<a>[一二三四五六七八九])(?:步|，|、)?|[（(](?P<b>[1-9一二三四五六七八九])[）)]"
    r"|(?P<c>[1-9])[.．、)）](?!\d)|(?P<d>[①②③④⑤⑥⑦⑧⑨])|(?P<e>[一二三四五六七八九])、)"
)
_DIGITS = {c: i % 9 + 1 for i, c in enumerate("123456789一二三四五六七八九①②③④⑤⑥⑦⑧⑨")}
_FIRST = re.compile(
    r"(?:^|(?<=[。；;，,：:\n]))(?:请?您?(?:可以?|需要?|应当?|要|得)?)?(?P<step>首先|先(?![行生进前后付期]))"
)
_NEXT = re.compile(r"(?<=[。；;，,\n])(?:其次|然后|接着|随后|之后|再(?!次)|最后)")
_ENDS = "，,。；;：:\n 、"


def aloud(answer: str) -> tuple[Aloud, ...]:
    """The pieces in the order in which they stand in the answer, each once; at most `MOST`."""
    pieces = [*_steps(answer), *_phones(answer), *_hours(answer), *_addresses(answer)]
    pieces += _papers(answer)
    found: dict[tuple[str, str], Aloud] = {}
    for _, _, piece in sorted(pieces, key=lambda item: (item[0], -item[1])):
        found.setdefault((piece.kind, piece.text), piece)
    return tuple(found.values())[:MOST]


def _phones(answer: str) -> Iterator[Piece]:
    for match in _PHONE.finditer(answer):
        if not _IS_AN_ID.search(answer[: match.start()]):
            yield match.start(), match.end(), Aloud(kind="phone", text=match.group())
    for match in _SHORT.finditer(answer):
        before, after = answer[: match.start()], answer[match.end() :]
        called = _CALLED.search(before) or _AFTER_SHORT.match(after)
        if called and not _COUNTED.match(after) and not _IS_AN_ID.search(before):
            yield match.start(), match.end(), Aloud(kind="phone", text=match.group())


def _hours(answer: str) -> Iterator[Piece]:
    for match in _HOURS.finditer(answer):
        yield match.start(), match.end(), Aloud(kind="hours", text=match.group().strip(_ENDS))


def _addresses(answer: str) -> Iterator[Piece]:
    for match in _ADDRESS.finditer(answer):
        lead = _BEFORE_ADDRESS.match(match["road"])
        start = match.start() + (lead.end() if lead else 0)
        if match.end() - start >= 4:
            yield start, match.end(), Aloud(kind="address", text=answer[start : match.end()])


def _papers(answer: str) -> Iterator[Piece]:
    for match in _PAPERS.finditer(answer):
        yield match.start("papers"), match.end("papers"), Aloud(kind="papers", text=match["papers"])


def _steps(answer: str) -> Iterator[Piece]:
    starts = _numbered(answer) or _first_then(answer)
    ends = [*starts[1:], None][: len(starts)]
    for start, end in zip(starts, ends, strict=True):
        text = answer[start:end].strip(_ENDS)
        if end is None:  # the last step ends with its sentence
            text = re.split(r"[。；;\n]", text)[0]
        start += len(answer[start:]) - len(answer[start:].lstrip(_ENDS))
        yield start, start + len(text), Aloud(kind="step", text=text)


def _numbered(answer: str) -> list[int]:
    """Where the steps 1, 2, 3 … begin; empty where they are not counted from one."""
    starts: list[int] = []
    for match in _ORDINAL.finditer(answer):
        number = _DIGITS[next(group for group in match.groups() if group)]
        if number == len(starts) + 1:
            starts.append(match.start())
    return starts if len(starts) > 1 else []


def _first_then(answer: str) -> list[int]:
    """Where the steps of 先 … 再 … 最后 … begin."""
    first = _FIRST.search(answer)
    if first is None:
        return []
    later = [match.start() for match in _NEXT.finditer(answer) if match.start() > first.end()]
    return [first.start("step"), *later] if later else []
