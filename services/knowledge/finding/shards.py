"""Where points live: a shard of Qdrant in a directory of this process, or a client of Qdrant."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Collection, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from qdrant_client import QdrantClient, models

from services.knowledge.finding.background import Vectors

EMBEDDED = find_spec("qdrant_edge") is not None
"""Whether Qdrant's engine can run in this process; else `qdrant-client` stands in, which holds all
points in Python and is slow from some ten thousand of them."""
PAGE = 2000
_PLAIN = 2_000_000_000
"""Kilobytes of vectors from which the engine would search a graph instead of all of them: never.
Comparing with all is fast enough, and leaves nothing out."""


class Shard(Protocol):
    """Points of one model: id and vector, of unit length. All of it blocks."""

    def ids(self) -> set[str]:
        """The ids of all points."""
        ...

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """Points by id; those that are not there are left out."""
        ...

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Keep points."""
        ...

    def remove(self, ids: Collection[str]) -> None:
        """Forget points."""
        ...

    def nearest(self, vector: Vectors, limit: int) -> dict[str, float]:
        """The points with the greatest cosines, greatest first, with them."""
        ...

    def whole(self) -> bool:
        """Whether it is still where it was made."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class EdgeShard:
    """Qdrant's engine in this process, on a directory."""

    def __init__(self, path: Path, dimension: int) -> None:
        self._edge: Any = importlib.import_module("qdrant_edge")
        self._path = path
        if (path / "edge_config.json").exists():
            self._shard = self._edge.EdgeShard.load(str(path))
        else:
            if path.exists():
                shutil.rmtree(path)
            path.mkdir(parents=True)
            self._shard = self._edge.EdgeShard.create(str(path), self._config(dimension))

    def _config(self, dimension: int) -> Any:
        edge = self._edge
        return edge.EdgeConfig(
            # Of vectors of unit length the dot product is the cosine.
            vectors=edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Dot),
            optimizers=edge.EdgeOptimizersConfig(indexing_threshold=_PLAIN),
        )

    def ids(self) -> set[str]:
        """As `Shard.ids`."""
        found: set[str] = set()
        offset: Any = None
        while True:
            records, offset = self._shard.scroll(
                self._edge.ScrollRequest(
                    limit=PAGE, offset=offset, with_payload=False, with_vector=False
                )
            )
            found |= {str(record.id) for record in records}
            if offset is None:
                return found

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """As `Shard.vectors`."""
        return _read(self._shard.retrieve(list(ids), with_payload=False, with_vector=True))

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """As `Shard.add`."""
        rows = zip(ids, vectors.tolist(), strict=True)
        points = [self._edge.Point(id_, row) for id_, row in rows]
        self._shard.update(self._edge.UpdateOperation.upsert_points(points))

    def remove(self, ids: Collection[str]) -> None:
        """As `Shard.remove`."""
        self._shard.update(self._edge.UpdateOperation.delete_points(list(ids)))

    def nearest(self, vector: Vectors, limit: int) -> dict[str, float]:
        """As `Shard.nearest`."""
        request = self._edge.QueryRequest(
            query=self._edge.Query.Nearest(vector.tolist()),
            limit=limit,
            with_vector=False,
            with_payload=False,
        )
        return {str(found.id): float(found.score) for found in self._shard.query(request)}

    def whole(self) -> bool:
        """As `Shard.whole`."""
        return (self._path / "edge_config.json").exists()

    def close(self) -> None:
        """As `Shard.close`."""
        if self.whole():
            self._shard.flush()
        self._shard.close()


class ClientShard:
    """A collection of a Qdrant server, or of `qdrant-client` itself."""

    def __init__(self, client: QdrantClient, name: str, dimension: int, path: Path | None) -> None:
        self._client = client
        self._name = name
        self._path = path
        if not client.collection_exists(name):
            client.create_collection(
                name,
                vectors_config=models.VectorParams(size=dimension, distance=models.Distance.DOT),
            )

    def ids(self) -> set[str]:
        """As `Shard.ids`."""
        found: set[str] = set()
        offset: Any = None
        while True:
            records, offset = self._client.scroll(
                self._name, limit=PAGE, offset=offset, with_payload=False, with_vectors=False
            )
            found |= {str(record.id) for record in records}
            if offset is None:
                return found

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """As `Shard.vectors`."""
        return _read(
            self._client.retrieve(self._name, list(ids), with_payload=False, with_vectors=True)
        )

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """As `Shard.add`."""
        batch = models.Batch(ids=list(ids), vectors=vectors.tolist())
        self._client.upsert(self._name, batch, wait=True)

    def remove(self, ids: Collection[str]) -> None:
        """As `Shard.remove`."""
        listed: list[Any] = list(ids)
        self._client.delete(self._name, models.PointIdsList(points=listed), wait=True)

    def nearest(self, vector: Vectors, limit: int) -> dict[str, float]:
        """As `Shard.nearest`."""
        answer = self._client.query_points(
            self._name,
            query=vector.tolist(),
            limit=limit,
            with_vectors=False,
            with_payload=False,
        )
        return {str(found.id): float(found.score) for found in answer.points}

    def whole(self) -> bool:
        """As `Shard.whole`."""
        return self._path is None or self._path.exists()

    def close(self) -> None:
        """The client is its maker's."""


def _read(records: Sequence[Any]) -> dict[str, Vectors]:
    return {str(r.id): np.asarray(r.vector, dtype=np.float32) for r in records}
