"""Every service, started alone as its image starts it: a wrong setting is one sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tools.system import SERVICES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

OWN = {
    "embedding": ("BANXI_EMBEDDING__BATCH", "65"),
    "transcription": ("BANXI_ASR__ENGINE", "sphinx"),
    "media": ("BANXI_MEDIA__PORT", "0"),
    "conduct": ("BANXI_CONDUCT__PHRASES", "/no/such/phrases.yaml"),
    "call_type": ("BANXI_CALL_TYPE__FIRM", "sure"),
    "knowledge": ("BANXI_KNOWLEDGE__REGION", "Atlantis"),
    "escalation": ("BANXI_ESCALATION__RED_LINES", "/no/such/red_lines.yaml"),
    "records": ("BANXI_NATS_URL", "localhost"),
    "desk": ("BANXI_DESK__SESSION_HOURS", "0"),
}
"""A setting of each service's own, with a value that cannot be."""


def last_words(service: str, **environment: str) -> str:
    """What a service says last before it ends, with no NATS to be reached."""
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        env={"PATH": "/usr/bin:/bin", "BANXI_NATS_URL": "nats://127.0.0.1:9"} | environment,
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


@pytest.mark.parametrize("service", SERVICES)
def test_a_wrong_value_is_named(service: str) -> None:
    name, value = OWN[service]
    said = last_words(service, **{name: value})
    assert name in said
    assert "\n" not in said
