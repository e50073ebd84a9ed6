"""`waiting.yaml`: times, and the words of waiting, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, model_validator

from contracts.base import Role
from contracts.warning import WarningKind
from services.common.datafiles import Entry
from services.common.written import PARTICLES, Written, read
from services.conduct.phrases.align import Finder
from services.conduct.phrases.rulebook import Text
from services.conduct.phrases.rulebook import Written as WrittenWording
from services.conduct.phrases.wording import parse
from services.conduct.rulefile import RuleFile

Seconds = Annotated[float, Field(gt=0, le=600)]
Wordings = Annotated[tuple[WrittenWording, ...], Field(min_length=1)]


class Times(Entry):
    """Seconds of the call's own sound."""

    silence_note_s: Seconds
    """From here on a silence is worth knowing."""
    silence_remind_s: Seconds
    """Unannounced silence of both sides: a quiet hint."""
    silence_alarm_s: Seconds
    """The same: an alarm."""
    words_wait_s: Seconds
    """How long a decision waits for the words of the agent's last utterance."""
    hold_remind_s: Seconds
    """After a request to wait: a card."""
    hold_limit_s: Seconds
    """After a request to wait: the agent must have spoken again."""
    silent_caller_s: Seconds
    """No voice after the opening; also the wait after each prompt."""
    overlap_s: Seconds
    """Both must speak that long for an interruption."""
    talking_over_s: Seconds
    """The caller cut in and the agent went on for so long: talking over."""
    unannounced_s: Seconds
    """The caller had to wait for so long without being told: worth keeping."""
    thanks_from_s: Seconds
    """An announced wait of so long asks for thanks."""
    unattended_s: Seconds
    """The agent silent for so long: a caller who asks whether anybody is there is left alone."""
    split_s: Seconds
    """A phrase may be spread over two utterances at most that far apart."""

    def ms(self, field: str) -> int:
        """One of them in milliseconds."""
        return round(float(getattr(self, field)) * 1000)

    @model_validator(mode="after")
    def _in_order(self) -> Times:
        if not self.silence_note_s <= self.silence_remind_s <= self.silence_alarm_s:
            raise ValueError("silence_note_s, silence_remind_s and silence_alarm_s must rise")
        if not self.hold_remind_s <= self.hold_limit_s:
            raise ValueError("hold_remind_s must not be above hold_limit_s")
        if not self.overlap_s <= self.talking_over_s:
            raise ValueError("overlap_s must not be above talking_over_s")
        return self


class HoldWords(Entry):
    """How a hold is announced."""

    requests: Wordings
    """What asks the caller to wait."""
    not_after: tuple[Text, ...]
    """Words that, following the request, show that the agent went on with something else."""
    tail: Annotated[int, Field(ge=0, le=100)]
    """How many characters may follow the request."""


class CardText(Entry):
    """A card's words."""

    title: Text
    """What it is about."""
    body: Text
    """What may be read aloud."""


class SilentCaller(Entry):
    """The silent-caller script."""

    prompts: Wordings
    """What a prompt sounds like."""
    steps: Annotated[tuple[CardText, ...], Field(min_length=2)]
    """The card of each step; the last one says that hanging up is allowed."""


class WarningText(Entry):
    """What the agent is told."""

    source: Text
    """Where the rule stands."""
    message: Text
    """One plain sentence."""
    instead: Text
    """What may be said or done instead."""


class WaitingFile(RuleFile):
    """The whole file."""

    times: Times
    hold: HoldWords
    acknowledgements: Annotated[tuple[Text, ...], Field(min_length=1)]
    silent_caller: SilentCaller
    warnings: dict[WarningKind, WarningText]
    hold_card: CardText

    @model_validator(mode="after")
    def _complete(self) -> WaitingFile:
        for kind in (
            "silence", "hold_over_30s", "silent_caller", "interruption",
            "agent_hung_up_first", "missing_opening", "missing_closing",
        ):  # fmt: skip
            if kind not in self.warnings:
                raise ValueError(f"warnings: {kind} is missing")
        return self


@dataclass(frozen=True, slots=True)
class Marks:
    """What an utterance holds of the words the rules look for; beside `signs` and
    `acknowledgement` only an agent's."""

    signs: frozenset[str] = frozenset()
    """What the checklist knows in it: ids of required phrases, and more (`checklist.py`)."""
    prompt: bool = False
    """It sounds like a prompt to a silent caller."""
    acknowledgement: bool = False
    """It is an acknowledgement and nothing else."""
    request: str = ""
    """The words that ask to wait, if any."""
    tail: int = 0
    """How many characters follow that request, or are in the utterance where there is none."""
    goes_on: bool = False
    """After that request, or in the utterance, are words that turn to something else."""


class WaitingBook:
    """The file, ready to be looked up."""

    def __init__(self, file: WaitingFile) -> None:
        self.version = file.version
        self.times = file.times
        self.file = file
        self._hold = _finder(file.hold.requests)
        self._prompts = _finder(file.silent_caller.prompts)
        self._acknowledgements = sorted(
            {read(word).plain for word in file.acknowledgements}, key=len, reverse=True
        )
        self._elsewhere = tuple(read(word).plain for word in file.hold.not_after)

    def marks(self, role: Role, text: str) -> Marks:
        """Read an utterance."""
        written = read(text)
        if role == "caller":
            return Marks(acknowledgement=self._is_acknowledgement(written))
        request = max(self._hold.find(written), key=lambda match: match.end, default=None)
        rest = written.plain[request.end :] if request else written.plain
        return Marks(
            prompt=next(iter(self._prompts.find(written)), None) is not None,
            acknowledgement=self._is_acknowledgement(written),
            request=written.words(request.start, request.end) if request else "",
            tail=len(rest),
            goes_on=any(word in rest for word in self._elsewhere),
        )

    def _is_acknowledgement(self, text: Written) -> bool:
        rest = text.plain
        while rest:
            for word in self._acknowledgements:
                if rest.startswith(word):
                    rest = rest[len(word) :]
                    break
            else:
                if rest[0] not in PARTICLES:
                    return False
                rest = rest[1:]
        return True


def _finder(wordings: tuple[str, ...]) -> Finder:
    # A sign too many does less harm than one too few: shorter wordings may be matched by sound.
    return Finder([parse(written) for written in wordings], by_sound_from=3)
