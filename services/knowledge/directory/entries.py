"""The directory as entries, so that a question for a telephone, an address or hours is found and
decided as any other. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from contracts.requests import Office
from services.knowledge.entries.entry import Entry

# What callers say for the office itself, and for whatever they call it. Few, since each wording of
# each office is a vector: their characters and sounds do the rest.
_PHONE = ("{}的电话号码是多少", "{}电话多少，联系电话告诉我")
_ADDRESS = ("{}在哪里，地址是什么", "{}在哪儿，怎么走")
_HOURS = ("{}几点上班，几点下班", "{}几点开门下班，周末上班吗")


def office_entries(offices: Iterable[Office], zone: tzinfo | None = None) -> list[Entry]:
    """One entry an office and aspect that is recorded: `office-ID-phone`, `-address`, `-hours`.
    They name the office and the figure, and nothing else: never the liaison's number. `zone`: of
    the site's days; None = the machine's."""
    found = []
    for office in offices:
        for aspect, figure, wordings, told in (
            ("phone", office.phone, _PHONE, "{}的电话是{}。"),
            ("address", office.address, _ADDRESS, "{}的地址是{}。"),
            ("hours", office.hours, _HOURS, "{}的办公时间是{}。"),
        ):
            if not (figure := figure.strip()):
                continue
            question, *others = (wording.format(office.name) for wording in wordings)
            aliases = [wordings[-1].format(alias) for alias in office.aliases]
            found.append(
                Entry(
                    id=f"office-{office.office_id}-{aspect}",
                    question=question,
                    answer=told.format(office.name, figure.rstrip("。")),
                    department=office.name,
                    region=office.region,
                    authorised=True,
                    similar=tuple(dict.fromkeys([*others, *aliases])),
                    authorised_by=office.updated_by or None,
                    authorised_at=(
                        office.updated_at.astimezone(zone).date() if office.updated_at else None
                    ),
                    phone=office.phone or None,
                    intake="基础信息查询",
                    sort="office",
                )
            )
    return found
