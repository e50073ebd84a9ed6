"""What is read aloud by itself."""

from __future__ import annotations

import pytest

from services.knowledge.on_calls.aloud import MOST, aloud

pytestmark = pytest.mark.unit


def of(kind: str, answer: str) -> list[str]:
    pieces = aloud(answer)
    assert all(piece.text in answer for piece in pieces)
    return [piece.text for piece in pieces if piece.kind == kind]


@pytest.mark.parametrize(
    ("answer", "phones"),
    [
        ("咨询电话0599-555-1101。", ["0599-555-1101"]),
        ("请拨打010-12345678转203咨询", ["010-12345678转203"]),
        ("电话：0599 555 1101，或05995551102", ["0599 555 1101", "05995551102"]),
        ("请拨打400-123-4567，或致电4001234568", ["400-123-4567", "4001234568"]),
        ("联系人手机13912345678、139-1234-5679", ["13912345678", "139-1234-5679"]),
        ("请拨打12333，投诉拨12345按2", ["12333", "12345"]),
        ("请直接拨打110、120、119，其余走法定渠道", ["110", "120", "119"]),
        ("也可以打12333热线（工作日）", ["12333"]),
        ("供电公司95598客服", ["95598"]),
        ("本地咨询电话8765432", ["8765432"]),
    ],
)
def test_telephone_numbers(answer: str, phones: list[str]) -> None:
    assert of("phone", answer) == phones


@pytest.mark.parametrize(
    "answer",
    [
        "身份证号350102199001011234不用提供",
        "受理编号13800001111，请记好",
        "卡号为6217001234567890123",
        "自2026-03-01起施行，依据临人社规〔2025〕12号",
        "每人补贴12345元，共12000户",
        "打到12345元为止",
        "社会信用代码91350100MA12345678",
        "版本1.13912345678",
    ],
)
def test_other_digits_are_no_telephone_numbers(answer: str) -> None:
    assert of("phone", answer) == []


@pytest.mark.parametrize(
    ("answer", "hours"),
    [
        ("周一至周五9:00-17:00办公", ["周一至周五9:00-17:00"]),
        (
            "工作日上午八点半至十二点，下午两点至五点半，咨询请来",
            ["工作日上午八点半至十二点，下午两点至五点半"],
        ),
        ("每周六上午九点开门", ["每周六上午九点"]),
        ("有一点不同，第一点至第三点请看公告", []),
        ("比例为1:30", []),
    ],
)
def test_hours(answer: str, hours: list[str]) -> None:
    assert of("hours", answer) == hours


def test_addresses_without_what_leads_to_them() -> None:
    assert of("address", "大厅位于江滨路16号一至二楼，工作日办公") == ["江滨路16号一至二楼"]
    assert of("address", "请您带材料到县城文昌街2号办理") == ["县城文昌街2号"]
    assert of("address", "请走网上通道，依据第12号文件") == []


def test_papers_are_whole_lists_or_none() -> None:
    assert of("papers", "请持身份证、户口簿和劳动合同到窗口") == ["身份证、户口簿和劳动合同"]
    assert of("papers", "请您本人持身份证到网点") == []
    # A list that goes on with what is not known as a paper would be read out incomplete.
    assert of("papers", "携带身份证、户口簿和房产材料以外的东西") != ["身份证、户口簿"]
    assert of("papers", "持身份证、户口簿、欠条到窗口") == []


@pytest.mark.parametrize(
    ("answer", "steps"),
    [
        ("1.先登记；2.再交材料；3.等通知。", ["1.先登记", "2.再交材料", "3.等通知"]),
        ("第一步登记。第二步缴费。不收手续费。", ["第一步登记", "第二步缴费"]),
        ("（一）登记；（二）缴费。", ["（一）登记", "（二）缴费"]),
        (
            "请您先在应用里登录，然后刷脸，最后提交；三天办结。",
            ["先在应用里登录", "然后刷脸", "最后提交"],
        ),
        ("首次办理不收费，先行赔付，再次办理收费", []),
        ("补贴1.5万元，2.5万元封顶", []),
        ("2.交材料；3.等通知", []),
    ],
)
def test_steps(answer: str, steps: list[str]) -> None:
    assert of("step", answer) == steps


def test_each_piece_once_in_order_and_not_without_end() -> None:
    answer = "拨0599-555-1101，到人民路1号；再拨0599-555-1101。"
    assert [(p.kind, p.text) for p in aloud(answer)] == [
        ("phone", "0599-555-1101"),
        ("address", "人民路1号"),
    ]
    many = "，".join(f"电话0599-555-11{n:02d}" for n in range(20))
    assert len(aloud(many)) == MOST
    assert aloud("") == ()
    assert aloud("到" + "路" * 20_000) == ()
