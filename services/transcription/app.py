"""Hears `speech.started`, `speech.ended`, `ended` and the audio frames; says `transcript.final` for
every utterance, and `transcript.partial` while there is time for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from nats.js.api import DeliverPolicy

from contracts.base import ROLES
from contracts.transcript import TranscriptFinal
from services.common.bus import Bus
from services.common.consumer import MAX_LATER
from services.common.service import Service
from services.common.settings import prepare_directory
from services.transcription.buffer import Memory
from services.transcription.data_files import LEXICON, load_terms, load_usual_words
from services.transcription.ears import Ears
from services.transcription.engine import Load
from services.transcription.engines import load_engine
from services.transcription.handler import TranscriptionHandler
from services.transcription.lexicon import Lexicon
from services.transcription.recogniser import Recogniser
from services.transcription.schedule import MOST_PARTIALS
from services.transcription.settings import Settings


def create_app(settings: Settings, load: Load | None = None) -> Service:
    """Wire the service; `load` brings another engine than the settings name.

    Raises CannotStart where a data file is wrong."""
    asr = settings.asr
    models = prepare_directory(settings.data_dir) / "models"
    service = Service("transcription", settings)
    memory = Memory()
    recogniser = Recogniser(
        load or (lambda: load_engine(asr, models)),
        memory,
        workers=asr.workers,
        partials=asr.partials,
        log=service.log,
    )
    ears = Ears(memory, recogniser.heard, service.log)
    lexicon = Lexicon(load_terms(asr.lexicon or LEXICON), load_usual_words())
    handler = TranscriptionHandler(ears, recogniser, lexicon, service.log)

    @asynccontextmanager
    async def recognition(bus: Bus) -> AsyncIterator[None]:
        recogniser.on_partial = partial(handler.publish_partial, bus)
        async with recogniser.running():
            service.models = (recogniser.engine.model,)
            async with ears.listening(bus):
                yield

    service.lives_with(recognition)
    # From now on only: the sound of older utterances is gone, and another recogniser may have
    # served them. A service that comes back goes on where it was.
    service.follows_calls(handler, deliver=DeliverPolicy.NEW)
    _measure(service, recogniser)
    return service


def _measure(service: Service, recogniser: Recogniser) -> None:
    """The figures of the service."""
    utterances = service.figures.counter(
        "banxi_utterances_total", "utterances recognised", role=ROLES
    )
    delay = service.figures.histogram(
        "banxi_final_delay_seconds", "from the end of speech to its final"
    )
    service.when_said(TranscriptFinal, lambda final, _: utterances.at(role=final.role).inc())
    recogniser.on_final = delay.at().observe
    service.queues.add("finals", MAX_LATER, lambda: recogniser.finals_waiting)
    service.queues.add(
        "partials",
        MOST_PARTIALS,
        lambda: recogniser.partials_waiting,
        lambda: recogniser.partials_dropped,
    )
    service.figures_of = lambda: {"partials": recogniser.partials_made}
