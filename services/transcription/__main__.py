"""Run the service: `python -m services.transcription`."""

from __future__ import annotations

import os

from services.common.process import run
from services.common.service import Service
from services.transcription.settings import Settings


def create(settings: Settings) -> Service:
    """Limit the threads of the numeric libraries, which they read when imported; then wire."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, str(settings.asr.threads))
    from services.transcription.app import create_app

    return create_app(settings)


if __name__ == "__main__":
    run(create, Settings)
