"""What the services export, built once."""

from __future__ import annotations

import pytest

from tests.unit.deploy.exported import Exported, exported


@pytest.fixture(scope="session")
def names(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """All time series of all services."""
    return exported(tmp_path_factory.mktemp("data"))
