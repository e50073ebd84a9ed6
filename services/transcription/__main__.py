"""`python -m services.transcription`: run the service."""

import os

from services.common.service import run
from services.common.settings import load
from services.transcription.settings import Settings

# Numeric libraries read this once, when they are first imported: hence the late import.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, str(load(Settings).asr.threads))

from services.transcription.app import create_app  # noqa: E402

run(create_app, Settings)
