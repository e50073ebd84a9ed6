"""A scripted call for the desk: every kind of event, in the order the services publish them.

Times are audio milliseconds; `at` is when an event is published.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from contracts.base import Event, Evidence, Producer, Role
from contracts.call import CallEnded, CallProgressed, CallStarted
from contracts.call_type import CallTypeAssessed, CallTypeTurned
from contracts.card import Alternative, CardShown, CardWithdrawn, Source
from contracts.escalation import EscalationRaised
from contracts.phrase import PhraseDue, PhraseSaid
from contracts.score import AppealDecided, DeductionAppealed, ScoreChanged
from contracts.situation import SituationRecognised
from contracts.speech import SpeechEnded, SpeechStarted
from contracts.transcript import Correction, TranscriptFinal, TranscriptPartial
from contracts.warning import HoldStarted, WarningRaised

ASR = Producer(name="asr", version="1")
CONDUCT = Producer(name="how-would-i-know", version="3", source="A12(一)")
TYPES = Producer(name="call-type", version="1")
SITUATIONS = Producer(name="situations", version="1")
KNOWLEDGE = Producer(name="knowledge", version="1")
POLICY = Producer(name="forbidden-and-angry", version="1", source="B")
STEP_MS = 500


class Story:
    """Builds a call, event by event."""

    def __init__(
        self, site: str, call_id: str = "", agent: str = "015", number: str = "19900000102"
    ) -> None:
        # Ids of events do not name the site: calls of different tests must differ themselves.
        self.call_id = f"{site}-{call_id or 'c1'}"
        self.who: dict[str, Any] = {"call_id": self.call_id, "site": site}
        self.agent_id = agent
        self.events: list[tuple[int, Event]] = []
        self.add(0, CallStarted(**self.who, at_ms=0, agent_id=agent, caller_number=number))

    def add(self, at: int, event: Event) -> Story:
        """Publish an event when the clock is at `at`."""
        self.events.append((at, event))
        return self

    def says(
        self,
        role: Role,
        start: int,
        end: int,
        text: str,
        *,
        heard: str | None = None,
        corrections: tuple[Correction, ...] = (),
        partial: str = "",
        delay: int = 900,
    ) -> Story:
        """One utterance with its voice activity, a partial, and its final."""
        self.add(start, SpeechStarted(**self.who, at_ms=start, role=role))
        if partial:
            middle = (start + end) // 2
            self.add(
                middle,
                TranscriptPartial(**self.who, at_ms=start, end_ms=middle, role=role, text=partial),
            )
        self.add(end, SpeechEnded(**self.who, at_ms=start, end_ms=end, role=role))
        return self.add(
            end + delay,
            TranscriptFinal(
                **self.who,
                at_ms=start,
                end_ms=end,
                role=role,
                text=text,
                heard=heard or text,
                corrections=corrections,
                by=ASR,
            ),
        )

    def typed(
        self, at: int, kind: Any, confidence: float, previous: Any = None, **changes: Any
    ) -> Story:
        """The call type as assessed."""
        assessed = CallTypeAssessed(
            **self.who,
            at_ms=at,
            by=TYPES,
            type=kind,
            confidence=confidence,
            previous=previous,
            evidence=(Evidence(words="没有人管", role="caller"),),
        )
        return self.add(at, assessed.model_copy(update=changes))

    def turned(
        self, at: int, previous: Any, kind: Any, words: str = "", start: int | None = None
    ) -> Story:
        """The caller turned from one type to another, with the utterance at `start`."""
        start = at if start is None else start
        evidence = Evidence(words=words, role="caller", start_ms=start, end_ms=at)
        return self.add(
            at,
            CallTypeTurned(
                **self.who,
                at_ms=start,
                by=TYPES,
                previous=previous,
                type=kind,
                confidence=0.8,
                evidence=(evidence,),
            ),
        )

    def recognised(self, at: int, situation: str, name: str, words: str = "") -> Story:
        """A moment that needs its own wording."""
        return self.add(
            at,
            SituationRecognised(
                **self.who,
                at_ms=at,
                by=SITUATIONS,
                situation=situation,
                name=name,
                confidence=0.9,
                evidence=(Evidence(words=words, role="caller"),),
            ),
        )

    def wording(self, at: int, **changes: Any) -> Story:
        """The card that goes with a moment."""
        card = CardShown(
            **self.who,
            at_ms=at,
            by=SITUATIONS,
            card_id="s1",
            slot="moment",
            kind="wording",
            title="对方要找领导",
            body="您的诉求我会完整记录，马上转给值班负责人，由负责人给您回电，好吗？",
            why="来电人说“叫你们领导来”",
            priority=70,
        )
        return self.add(at, card.model_copy(update=changes))

    def withdrawn(self, at: int, card_id: str = "s1") -> Story:
        """A card's moment has passed."""
        return self.add(
            at,
            CardWithdrawn(
                **self.who, at_ms=at, by=SITUATIONS, card_id=card_id, reason="这一刻过去了"
            ),
        )

    def forbidden(self, at: int, start: int, end: int, words: str, warning_id: str = "w1") -> Story:
        """A forbidden phrase of the agent."""
        return self.add(
            at,
            WarningRaised(
                **self.who,
                at_ms=start,
                end_ms=end,
                due_ms=end,
                by=CONDUCT,
                warning_id=warning_id,
                kind="forbidden_phrase",
                level="alarm",
                phrase="这我怎么知道",
                message="这样说像是在推开对方，对方会更着急。",
                instead="您先别急，这件事我马上帮您查清楚，请您稍等一下。",
                evidence=(Evidence(words=words, role="agent", start_ms=start, end_ms=end),),
            ),
        )

    def escalated(
        self,
        at: int,
        title: str,
        reason: str,
        words: str,
        severity: Any = "urgent",
        number: int = 1,
    ) -> Story:
        """Something for the supervisors."""
        return self.add(
            at,
            EscalationRaised(
                **self.who,
                at_ms=at,
                by=POLICY,
                escalation_id=f"e{number}",
                severity=severity,
                title=title,
                reason=reason,
                agent_id=self.agent_id,
                evidence=(Evidence(words=words, role="agent"),),
            ),
        )

    def phrase(self, at: int, phrase: str, name: str, *, said: bool) -> Story:
        """A required phrase falls due or was said."""
        model = PhraseSaid if said else PhraseDue
        return self.add(
            at,
            model(
                **self.who,
                at_ms=at,
                phrase=phrase,
                name=name,
                by=Producer(name=phrase, version="1"),
            ),
        )

    def answer(self, at: int, words: str, start: int, end: int, **changes: Any) -> Story:
        """An authorised answer."""
        card = CardShown(
            **self.who,
            at_ms=at,
            by=KNOWLEDGE,
            card_id=changes.pop("card_id", "k1"),
            slot="answer",
            kind="answer",
            title="养老保险关系转移要多久",
            body="从收到申请起，四十五个工作日内办完。您可以用手机查到办到了哪一步；超过时限的，我现在就可以给您登记催办。",
            why="来电人问转移多久能办好",
            confidence=0.93,
            evidence=(Evidence(words=words, role="caller", start_ms=start, end_ms=end),),
            source=Source(
                entry_id="pen-014",
                question="养老保险关系转移要多久",
                department="临江市社会保险中心",
                region="临江市",
                authorised=True,
                authorised_by="养老保险科 周敏",
                authorised_at=date(2026, 3, 1),
                document="临人社规〔2025〕12号",
                valid_to=date(2027, 2, 28),
                version="3",
            ),
            alternatives=(Alternative(entry_id="pen-015", question="转移进度在哪里查"),),
        )
        return self.add(at, card.model_copy(update=changes))

    def advice(self, at: int, **changes: Any) -> Story:
        """What this moment needs."""
        card = CardShown(
            **self.who,
            at_ms=at,
            by=TYPES,
            card_id=changes.pop("card_id", "m1"),
            slot="moment",
            kind="advice",
            title="先接住情绪，再说办法",
            body="让您跑了这么多趟，实在抱歉。您说的我都记下来了，我们一起把这件事理清楚，好吗？",
            avoid="急着解释，替部门辩解",
            why="类型从求助变成了投诉",
        )
        return self.add(at, card.model_copy(update=changes))

    def warned(self, at: int, **changes: Any) -> Story:
        """A warning that may yet be withdrawn: the agent began while the caller spoke."""
        start = changes.get("at_ms", at)
        warning = WarningRaised(
            **self.who,
            at_ms=start,
            end_ms=start,
            due_ms=start,
            by=Producer(name="interruption", version="1"),
            warning_id="i1",
            kind="interruption",
            level="alarm",
            provisional=True,
            message="来电人还没有说完。",
        )
        return self.add(at, warning.model_copy(update=changes))

    def better(self, at: int, start: int, end: int, words: str) -> Story:
        """The card that comes beside a forbidden phrase."""
        card = CardShown(
            **self.who,
            at_ms=start,
            by=CONDUCT,
            card_id="wrong-1",
            slot="wrong",
            kind="better_wording",
            title="这句不宜说",
            body="您先别急，这件事我马上帮您查清楚，请您稍等一下。",
            why=f"听到“{words}”，属于禁用语。",
            priority=80,
            expires_ms=end + 20_000,
            evidence=(Evidence(words=words, role="agent", start_ms=start, end_ms=end),),
        )
        return self.add(at, card)

    def scored(
        self,
        at: int,
        score: int,
        points: int,
        reason: str,
        words: str = "",
        *,
        name: str = "回答推诿、说不知道",
        deduction: str = "d1",
    ) -> Story:
        """Points taken off, or given back where they are positive."""
        evidence = Evidence(words=words, role="agent", start_ms=max(at - 4_700, 0), end_ms=at)
        return self.add(
            at,
            ScoreChanged(
                **self.who,
                at_ms=at,
                by=Producer(name="score", version="1"),
                deduction_id=deduction,
                item="item",
                name=name,
                score=score,
                points=points,
                reason=reason,
                evidence=(evidence,) if words else (),
            ),
        )

    def appealed(self, at: int, reason: str = "", deduction: str = "d1") -> Story:
        """The agent holds that a deduction is wrong."""
        said = {"deduction_id": deduction, "agent_id": self.agent_id, "reason": reason}
        return self.add(at, DeductionAppealed.model_validate(self.who | {"at_ms": 0} | said))

    def decided(
        self, at: int, *, accepted: bool, supervisor: str = "b01", remark: str = ""
    ) -> Story:
        """A supervisor decided the appeal against the first deduction."""
        said = {"supervisor": supervisor, "accepted": accepted, "remark": remark}
        who = self.who | {"at_ms": 0, "deduction_id": "d1"}
        return self.add(at, AppealDecided.model_validate(who | said))

    def holds(self, start: int, words: str = "请稍等") -> Story:
        """The agent asked the caller to wait."""
        return self.add(
            start,
            HoldStarted(**self.who, at_ms=start, limit_ms=start + 30_000, words=words),
        )

    def ends(self, at: int) -> Story:
        """The caller hangs up."""
        return self.add(at, CallEnded(**self.who, at_ms=at, ended_by="caller"))

    def progresses(self, start: int, end: int) -> Story:
        """The clock goes on while nobody speaks."""
        for at in range(start, end, STEP_MS):
            self.add(at, CallProgressed(**self.who, at_ms=at, audio_ms=at))
        return self

    def in_order(self) -> list[tuple[int, Event]]:
        """By the time of publishing."""
        return sorted(self.events, key=lambda item: item[0])
