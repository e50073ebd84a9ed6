"""The directory as entries, so that a question for a telephone, an address or hours is found and
decided as any other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo

from contracts.card import Source
from contracts.requests import Office
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.regions import RegionTree
from services.knowledge.finding.wording import fold

# What callers say for the office itself, and for whatever they call it. Few, since each wording of
# each office is a vector: their characters and sounds do the rest.
_PHONE = ("{}的电话号码是多少", "{}电话多少")
_ADDRESS = ("{}在哪里，地址是什么", "{}在哪儿，怎么走")
_HOURS = ("{}几点上班，几点下班", "{}周末上班吗，办公时间是什么")


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


def responsible(
    department: str, region: str, offices: Sequence[Office], regions: RegionTree
) -> Office | None:
    """The office of that name, or called so, that serves a region: of several the one of the
    nearest region."""
    wanted = fold(department)
    chain = regions.chain(region)
    named = [
        office
        for office in offices
        if office.region in chain and wanted in map(fold, (office.name, *office.aliases))
    ]
    # Its own name counts more than what another one is called.
    return min(
        named,
        key=lambda office: (chain.index(office.region), fold(office.name) != wanted),
        default=None,
    )


def with_office(
    source: Source, region: str, offices: Sequence[Office], regions: RegionTree
) -> Source:
    """The source of a transfer with what the directory knows of its department, where the entry
    itself does not say. `region`: the caller's. A liaison's number stands beside the name, for the
    agent who transfers: never as the number that callers are told."""
    if source.phone and source.liaison:
        return source
    office = responsible(source.department, region, offices, regions) or responsible(
        source.department, source.region, offices, regions
    )
    if office is None:
        return source
    liaison = office.liaison or None
    if liaison and office.liaison_phone:
        liaison = f"{liaison}（转接用 {office.liaison_phone}，不报给来电人）"
    return source.model_copy(
        update={"phone": source.phone or office.phone or None, "liaison": source.liaison or liaison}
    )
