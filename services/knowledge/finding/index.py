"""The vectors of all wordings, in Qdrant: embedded in a directory, in memory, or on a server."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

from services.common.service import CannotStart
from services.knowledge.finding.background import Vectors
from services.knowledge.finding.points import Point

T = TypeVar("T")

_PAGE = 500


class IndexUnavailable(RuntimeError):
    """The index did not answer. Search goes on by words alone."""


class Index:
    """Points by id. The client is synchronous and the embedded one belongs to one process: it runs
    in a thread of its own. Use as `await open()`, `await use(model, dimension)` … `await close()`.
    """

    def __init__(self, *, site: str, path: Path | None = None, url: str | None = None) -> None:
        """`url` wins over `path`; with neither the index lives in memory."""
        self._prefix = f"banxi-{site}-knowledge-"
        self._path = path
        self._url = url
        self._collection = ""
        self._client: QdrantClient | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="index")

    async def open(self) -> None:
        """Open it. Raises CannotStart with one sentence."""
        try:
            self._client = await self._run(self._connect)
        except CannotStart:
            self._thread.shutdown()
            raise

    async def close(self) -> None:
        """Let go of the directory or the server."""
        if self._client is not None:
            await self._run(self._client.close)
            self._client = None
        self._thread.shutdown()

    async def use(self, model: str, dimension: int) -> None:
        """Work on the vectors of a model; those of others are dropped, since they do not mix."""
        digest = hashlib.sha256(f"{model}\n{dimension}".encode()).hexdigest()[:12]
        self._collection = self._prefix + digest
        await self._run(lambda: self._prepare(dimension))

    async def ids(self) -> set[str]:
        """The ids of all points."""
        return set(await self._run(lambda: self._scroll(with_vectors=False)))

    async def vectors(self) -> dict[str, Vectors]:
        """All points, id → vector as it came."""
        found = await self._run(lambda: self._scroll(with_vectors=True))
        return {id_: np.asarray(vector, dtype=np.float32) for id_, vector in found.items()}

    async def add(self, points: Sequence[Point], vectors: Sequence[Sequence[float]]) -> None:
        """Keep points."""
        made = [
            models.PointStruct(
                id=point.id,
                vector=list(vector),
                payload={"owner": point.owner, "about": point.about},
            )
            for point, vector in zip(points, vectors, strict=True)
        ]
        await self._run(lambda: self._open_client.upsert(self._collection, made, wait=True))

    async def remove(self, ids: Collection[str]) -> None:
        """Forget points."""
        listed: list[Any] = list(ids)
        if listed:
            await self._run(lambda: self._open_client.delete(self._collection, listed, wait=True))

    async def nearest(self, probe: Vectors, limit: int) -> Mapping[str, Vectors]:
        """The points with the greatest dot product with `probe`, greatest first, id → vector.
        Raises IndexUnavailable."""
        vector = probe.astype(float).tolist()

        def ask() -> dict[str, Vectors]:
            answer = self._open_client.query_points(
                self._collection,
                query=vector,
                limit=limit,
                with_vectors=True,
                with_payload=False,
            )
            return {str(p.id): np.asarray(p.vector, dtype=np.float32) for p in answer.points}

        return await self._run(ask)

    @property
    def _open_client(self) -> QdrantClient:
        if self._client is None:
            raise IndexUnavailable("the index is not open")
        return self._client

    async def _run(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, work)
        except (ApiException, httpx.HTTPError, OSError) as error:
            raise IndexUnavailable(f"Qdrant did not answer ({type(error).__name__})") from None

    def _connect(self) -> QdrantClient:
        if self._url is not None:
            client = QdrantClient(url=self._url, timeout=10, check_compatibility=False)
            try:
                client.get_collections()
            except (ApiException, httpx.HTTPError, OSError, ValueError) as error:
                client.close()
                raise CannotStart(
                    f"no Qdrant answers at {self._url} ({type(error).__name__}): start it, "
                    "or unset BANXI_QDRANT_URL to use the embedded one"
                ) from None
            return client
        if self._path is None:
            return QdrantClient(":memory:")
        try:
            return QdrantClient(path=str(self._path))
        except RuntimeError as error:
            if "already accessed" not in str(error):
                raise
            raise CannotStart(
                f"the knowledge index {self._path} is in use by another process: stop that one, "
                "or set BANXI_QDRANT_URL to share a Qdrant server"
            ) from None
        except Exception as error:
            # Whatever a damaged directory raises: it only holds what can be made again.
            raise CannotStart(
                f"the knowledge index {self._path} cannot be opened ({type(error).__name__}): "
                "delete that directory, it is made again from the database"
            ) from None

    def _prepare(self, dimension: int) -> None:
        client = self._open_client
        for known in client.get_collections().collections:
            if known.name.startswith(self._prefix) and known.name != self._collection:
                client.delete_collection(known.name)
        if not client.collection_exists(self._collection):
            client.create_collection(
                self._collection,
                # Not cosine: a search brings vectors that are not of unit length (`Space.probe`).
                vectors_config=models.VectorParams(size=dimension, distance=models.Distance.DOT),
            )

    def _scroll(self, *, with_vectors: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        offset: Any = None
        while True:
            records, offset = self._open_client.scroll(
                self._collection,
                limit=_PAGE,
                offset=offset,
                with_payload=False,
                with_vectors=with_vectors,
            )
            found |= {str(record.id): record.vector for record in records}
            if offset is None:
                return found
