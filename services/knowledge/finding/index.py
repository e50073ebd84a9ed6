"""The vectors of all wordings, in Qdrant: embedded in a directory, in memory, or on a server."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
from pydantic import SecretStr
from qdrant_client import QdrantClient

from services.common.failure import CannotStart
from services.knowledge.finding.background import Vectors
from services.knowledge.finding.points import Point
from services.knowledge.finding.shards import EMBEDDED, ClientShard, EdgeShard, Shard

T = TypeVar("T")

ANSWERS_IN_S = 3
"""A Qdrant server that takes longer is taken for away: a caller waits."""
AT_ONCE = 500
"""Points fetched at a time."""


LEAST_FREE = 64 * 2**20
"""Bytes that must be free beside what the index takes, before the engine writes: it writes by
memory maps, and the kernel kills a process whose map finds no room."""


class IndexUnavailable(RuntimeError):
    """The index did not answer. Search goes on by words alone."""


class Index:
    """Points by id. Its calls block and the embedded one belongs to one process: it runs in a
    thread of its own. Use as `await open()`, `await use(model, dimension)` … `await close()`.

    It only holds what can be made again: one that is damaged is thrown away by `use`.
    """

    def __init__(
        self,
        *,
        site: str,
        path: Path | None = None,
        url: str | None = None,
        api_key: SecretStr | None = None,
        least_free: int = LEAST_FREE,
    ) -> None:
        """`url` wins over `path`; with neither the index lives in memory. `api_key`: where the
        server of `url` asks for one."""
        self._prefix = f"banxi-{site}-knowledge-"
        self._path = path if url is None else None
        self._url = url
        self._api_key = api_key.get_secret_value() if api_key else None
        self.least_free = least_free
        """Bytes of the disk that are never taken."""
        self._client: QdrantClient | None = None
        self._shard: Shard | None = None
        self._lock: IO[bytes] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="index")

    async def open(self) -> None:
        """Make sure that no other process uses the directory. Raises CannotStart."""
        if self._path is None:
            return
        self._lock = self._path.with_name(self._path.name + ".lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            self._thread.shutdown()
            raise CannotStart(
                f"the knowledge index {self._path} is in use by another process: stop that one, "
                "or set BANXI_QDRANT_URL to share a Qdrant server"
            ) from None

    async def close(self) -> None:
        """Let go of the directory or the server."""
        # Where letting go fails, there is nothing left that could be closed better.
        with suppress(IndexUnavailable):
            await self._run(self._let_go)
        self._thread.shutdown()
        if self._lock is not None:
            self._lock.close()

    async def use(self, model: str, dimension: int) -> None:
        """Work on the vectors of a model; those of others are dropped, since they do not mix.
        Raises IndexUnavailable."""
        digest = hashlib.sha256(f"{model}\n{dimension}".encode()).hexdigest()[:12]
        await self._run(lambda: self._take(self._prefix + digest, dimension))

    async def forget(self) -> None:
        """Throw all points away. `use` makes the index again."""
        await self._run(self._forget)

    async def whole(self) -> bool:
        """Whether the directory in use is still there."""
        shard = self._shard
        return shard is None or await asyncio.to_thread(shard.whole)

    async def ids(self) -> set[str]:
        """The ids of all points. Raises IndexUnavailable, as all that follow."""
        return await self._run(lambda: self._open_shard.ids())

    async def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """Vectors by id of point; those that are not there are left out."""
        found: dict[str, Vectors] = {}
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            found |= await self._run(partial(self._open_shard.vectors, some))
        return found

    async def add(self, points: Sequence[Point], vectors: Sequence[Sequence[float]]) -> None:
        """Keep points. Their vectors are of unit length."""
        made = np.asarray(vectors, dtype=np.float32)
        ids = [point.id for point in points]
        await self._run(lambda: self._writable_shard.add(ids, made))

    async def remove(self, ids: Collection[str]) -> None:
        """Forget points."""
        if ids:
            await self._run(lambda: self._writable_shard.remove(ids))

    async def nearest(self, vector: Vectors, limit: int) -> Mapping[str, float]:
        """The points nearest to a vector, nearest first, id → cosine."""
        return await self._run(lambda: self._open_shard.nearest(vector, limit))

    @property
    def _open_shard(self) -> Shard:
        if self._shard is None:
            raise IndexUnavailable("the index is not open")
        return self._shard

    @property
    def _writable_shard(self) -> Shard:
        self._see_room()
        return self._open_shard

    def _see_room(self) -> None:
        """Raises IndexUnavailable where the disk has no room for the engine to write."""
        if self._path is None:
            return
        free = shutil.disk_usage(self._path).free
        # The engine writes a segment anew beside the old one.
        taken = sum(file.stat().st_blocks * 512 for file in self._path.rglob("*"))
        if free < self.least_free + taken:
            raise IndexUnavailable(
                f"the disk of {self._path} is nearly full: {free >> 20} MB are free, "
                f"{(self.least_free + taken) >> 20} MB needed"
            )

    async def _run(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, work)
        except IndexUnavailable:
            raise
        except Exception as error:
            # The engine, the client and the network each raise as they like; the remedy is one.
            raise IndexUnavailable(f"Qdrant did not answer ({type(error).__name__})") from None

    def _take(self, name: str, dimension: int) -> None:
        if self._path is None or not EMBEDDED:
            if self._url is not None or self._path is not None:
                self._let_go()  # what it was may not be there any more
            self._shard = ClientShard(self._connected(), name, dimension, self._path)
            for known in self._connected().get_collections().collections:
                if known.name.startswith(self._prefix) and known.name != name:
                    self._connected().delete_collection(known.name)
            return
        self._let_go()
        self._path.mkdir(parents=True, exist_ok=True)
        self._see_room()
        for other in self._path.iterdir():
            if other.name != name:
                _delete(other)
        try:
            self._shard = EdgeShard(self._path / name, dimension)
        except Exception:
            # Whatever a damaged directory raises.
            _delete(self._path / name)
            self._shard = EdgeShard(self._path / name, dimension)

    def _connected(self) -> QdrantClient:
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> QdrantClient:
        if self._url is not None:
            return QdrantClient(
                url=self._url,
                api_key=self._api_key,
                timeout=ANSWERS_IN_S,
                check_compatibility=False,
            )
        if self._path is None:
            return QdrantClient(":memory:")
        try:
            return QdrantClient(path=str(self._path))
        except Exception:
            _delete(self._path)
            return QdrantClient(path=str(self._path))

    def _forget(self) -> None:
        if self._url is not None or self._path is None:
            for known in self._connected().get_collections().collections:
                if known.name.startswith(self._prefix):
                    self._connected().delete_collection(known.name)
        self._let_go()
        if self._path is not None:
            _delete(self._path)

    def _let_go(self) -> None:
        shard, self._shard = self._shard, None
        client, self._client = self._client, None
        try:
            if shard is not None:
                shard.close()
        finally:
            if client is not None:
                client.close()


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
