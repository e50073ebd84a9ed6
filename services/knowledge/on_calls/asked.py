"""Which part of an answer is what the caller asked. Pure.

An answer mostly tells more than was asked: where, with what, how long, what it costs. The clauses
that answer the question are marked, so that the agent's eye falls on them; where that is not sure,
nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.card import Span
from services.knowledge.finding.wording import fold, subject

MOST_ASPECTS = 2
"""Who asks for more things than this asks for the whole answer."""
MOST_MARKED = 0.7
"""Share of an answer from which marking it says nothing."""
_CLAUSE = re.compile(r"[^，,。；;！!？?\n]+")
_NUMBER = "[0-9０-９一二两三四五六七八九十百千万半几]"
_DURATION = (
    rf"{_NUMBER}+个?(?:工作日|自然日|小时|分钟|星期|月|天|日|周|年)(?:以?内|左右|后|办结|之内)?"
)


@dataclass(frozen=True, slots=True)
class _Aspect:
    """Something that can be asked of any matter: how it is asked, and what answers it."""

    question: re.Pattern[str]
    answer: re.Pattern[str]


def _aspect(question: str, answer: str) -> _Aspect:
    return _Aspect(re.compile(question), re.compile(answer))


_ASPECTS = (
    _aspect(  # papers
        r"材料|资料|证件|手续|带(?:些|点)?(?:什么|啥|哪些)|准备(?:些|点)?(?:什么|啥|哪些)|拿(?:什么|啥)",
        r"身份证|户口|证明|材料|原件|复印件|委托书|凭证|携带|带好|照片|申请表|登记表|回执|发票"
        r"|合同|票据|(?:持|凭|带|提供|提交).*证",
    ),
    _aspect(  # place
        r"哪里|哪儿|在哪|去哪|到哪|上哪|跑哪|地址|地点|什么地方|啥地方|哪个(?:窗口|地方|单位|部门)|位置",
        r"窗口|大厅|网点|柜台|服务中心|服务点|服务站|派出所|医院|银行|自助机|地址"
        rf"|[路街道巷]{_NUMBER}+号|{_NUMBER}+楼",
    ),
    _aspect(  # hours and dates
        r"几点|什么时候|啥时候|何时|几号|哪天|上班|下班|开门|关门|营业|周末|星期[六天日]|周[六日]|截止",
        rf"工作日(?![内后])|[周星]期?[一二三四五六日天]|{_NUMBER}+点|\d{{1,2}}[:：]\d{{2}}|上午|下午|节假日|周末"
        rf"|每[年月季]|{_NUMBER}+月|截止|期内|之前",
    ),
    _aspect(  # how long it takes
        r"多久|多长时间|几天|多少天|几个工作日|等多长|什么时候(?:能|可以|才能)?(?:办好|下来|到账|拿到|领到)",
        rf"{_DURATION}|当场|当天|当日|即时|即办|立等可取|马上|次月",
    ),
    _aspect(  # what it costs, what one gets
        r"多少钱|几块|多少元|收费|费用|要钱|花钱|免费|工本费|(?:交|缴|补|领|报|发|拿)(?:得到|到|销)?(?:多少|几)"
        r"|标准|比例|金额",
        r"元|免费|不收|收取|工本费|费用|百分之|%|比例|标准|档次|定额",
    ),
    _aspect(  # who may
        r"条件|资格|符合|什么人|哪些人|谁(?:能|可以)|(?:能不能|可不可以|可以|能).*(?:吗|么|呢|不)?$|要求",
        r"年满|未满|符合|满足|条件|以上的|以下的|不得|不能|不予|可以|须|应当|[^目]的$",
    ),
    _aspect(  # telephone
        r"电话|号码(?!停)|打哪|打多少|怎么联系|热线|联系方式",
        r"电话|拨打|热线|(?<!\d)\d{3,4}-\d{3}",
    ),
    _aspect(  # without going there
        r"网上|线上|手机上|用手机|手机(?:能|可以)|[Aa][Pp][Pp]|小程序|微信|公众号|支付宝|在家|不用(?:跑|去)",
        r"手机应用|应用|网上|小程序|平台|网站|线上|微信|公众号|支付宝|电子",
    ),
    _aspect(  # by somebody else
        r"代办|代领|代理|委托|替(?:我|他|她|家|老)|帮(?:我?家|我?爸|我?妈|老|他|她|孩)|别人|家里人|家属",
        r"代办|委托|代理|监护人|亲属|他人|家属",
    ),
    _aspect(  # by post
        r"邮寄|寄(?:到|过|回|给)|快递",
        r"邮寄|寄|快递",
    ),
)
_CAN = _ASPECTS[5]


def asked(answer: str, said: Sequence[str], question: str) -> tuple[Span, ...]:
    """The clauses of `answer` that answer what was `said` (utterances that asked, the newest
    last); `question` is the entry's own, whose words say nothing of what part is meant. Neighbours
    are one span. Empty where it is not sure, or where it would be nearly all."""
    clauses = [(match.start(), match.end(), match.group()) for match in _CLAUSE.finditer(answer)]
    if len(clauses) < 2 or not said:
        return ()
    wanted = _wanted(said)
    if wanted is None:
        return ()
    words = _own_words(said, question)
    hits = [
        any(aspect.answer.search(text) for aspect in wanted) or bool(words & _pairs(text))
        for _, _, text in clauses
    ]
    spans: list[Span] = []
    for index, (start, end, _) in enumerate(clauses):
        if not hits[index]:
            continue
        if spans and hits[index - 1]:
            spans[-1] = Span(start=spans[-1].start, end=end)
        else:
            spans.append(Span(start=start, end=end))
    marked = sum(span.end - span.start for span in spans)
    return tuple(spans) if marked <= MOST_MARKED * len(answer.strip()) else ()


def _wanted(said: Sequence[str]) -> tuple[_Aspect, ...] | None:
    """The aspects asked for: those of the newest utterance that asks for any. None where there are
    too many of them."""
    for text in reversed(said):
        found = [aspect for aspect in _ASPECTS if aspect.question.search(text.rstrip("。？?！! "))]
        # 能在网上办吗 asks for the net, not for who may.
        if len(found) > 1:
            found = [aspect for aspect in found if aspect is not _CAN]
        if found:
            return tuple(found) if len(found) <= MOST_ASPECTS else None
    return ()


def _own_words(said: Sequence[str], question: str) -> frozenset[str]:
    """Pairs of characters in which the newest utterance differs from the entry's question: 补办
    可以加急吗 asks for 加急."""
    return _pairs(subject(said[-1])) - _pairs(question)


def _pairs(text: str) -> frozenset[str]:
    folded = fold(text)
    return frozenset(folded[i : i + 2] for i in range(len(folded) - 1))
