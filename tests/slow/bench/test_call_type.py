"""The memory that the call-type service's models take, in fresh processes."""

from __future__ import annotations

import pytest

from tools.bench_call_type import MEMORY_BAR_MB, memory_mb

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_the_models_fit_beside_the_embedding_service() -> None:
    assert 1 < memory_mb(384) <= MEMORY_BAR_MB
