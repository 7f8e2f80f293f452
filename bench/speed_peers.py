"""What an index misses, and the same vectors in FAISS and in Qdrant's embedded engine."""

import importlib.util
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from machine import median
from speed_library import Library
from speed_limits import LEAST_RECALL

from biblio.adapters.vectors.pgvector import LINKS
from biblio.pipeline.search import CANDIDATES
from biblio.pipeline.services import Services

DEPTH = 10
WIDTHS = (32, 64, 128, 256, 512, 1024)
"""Search widths (ef) that are tried, the narrowest first: a peer gets its best setting for each kind of user."""
BUILD_WIDTH = 100
"""Of a peer's index: what Qdrant does unasked. Ours is built wider, each in its own time, which is printed."""
TRIED = 40
"""Questions that a width is chosen by."""
PACKAGES = {"faiss": "faiss-cpu", "qdrant_edge": "qdrant-edge-py"}


class Peer(Protocol):
    name: str

    def add(self, library: Library) -> None:
        """All vectors, indexed."""
        ...

    def size(self) -> int:
        """Bytes of the index with its vectors."""
        ...

    def search(self, user: int, question: Any, width: int) -> list[int]:
        """Numbers of the nearest passages of one user."""
        ...


@dataclass(frozen=True)
class Asked:
    """One engine's answers to a kind of user's questions."""

    ms: list[float]
    recall: float


class Faiss:
    name = "FAISS HNSW"

    def add(self, library: Library) -> None:
        import faiss

        self._faiss = faiss
        faiss.omp_set_num_threads(2)
        self._index = faiss.IndexHNSWFlat(library.vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
        self._index.hnsw.efConstruction = BUILD_WIDTH
        self._index.add(library.vectors)
        faiss.omp_set_num_threads(1)
        # Made beforehand, as a server would keep them; a bitmap is the quickest to ask.
        self._selectors = {
            user: _Selector(faiss, library.owner == user) for users in library.kinds.values() for user in users[:1]
        }

    def size(self) -> int:
        with tempfile.NamedTemporaryFile(prefix="biblio-bench-") as file:
            self._faiss.write_index(self._index, file.name)
            return Path(file.name).stat().st_size

    def search(self, user: int, question: Any, width: int) -> list[int]:
        wanted = self._faiss.SearchParametersHNSW(sel=self._selectors[user].selector, efSearch=width)
        _, found = self._index.search(question[None, :], DEPTH, params=wanted)
        return [int(one) for one in found[0] if one >= 0]


class _Selector:
    """Keeps the bitmap alive, of which FAISS only knows where it lies."""

    def __init__(self, faiss: Any, mine: Any) -> None:
        self._bits = np.packbits(mine, bitorder="little")
        self.selector = faiss.IDSelectorBitmap(len(mine), faiss.swig_ptr(self._bits))


class Qdrant:
    """With an index of users that is told to be one of tenants: what its manual advises for this."""

    name = "Qdrant Edge"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, library: Library) -> None:
        import qdrant_edge as q

        self._q = q
        width = library.vectors.shape[1]
        config = q.EdgeConfig(
            vectors=q.EdgeVectorParams(width, q.Distance.Cosine),
            hnsw_config=q.HnswIndexConfig(LINKS, BUILD_WIDTH, full_scan_threshold=10_000, payload_m=LINKS),
            optimizers=q.EdgeOptimizersConfig(default_segment_number=1, max_segment_size=100 * 1024**2),
            max_search_threads=1,
            wal_enabled=False,
        )
        self._folder.mkdir()
        self._shard = q.EdgeShard.create(str(self._folder), config)
        tenants = q.KeywordIndexParams(is_tenant=True)
        self._shard.update(q.UpdateOperation.create_field_index("user", tenants))
        for first in range(0, len(library.ids), 2_000):
            rows = library.vectors[first : first + 2_000].tolist()
            users = library.owner[first : first + 2_000]
            points = [
                q.Point(first + place, row, {"user": str(user)})
                for place, (row, user) in enumerate(zip(rows, users, strict=True))
            ]
            self._shard.update(q.UpdateOperation.upsert_points(points))
        self._shard.optimize()
        self._shard.flush()

    def size(self) -> int:
        return sum(path.stat().st_blocks * 512 for path in self._folder.rglob("*") if path.is_file())

    def search(self, user: int, question: Any, width: int) -> list[int]:
        q = self._q
        mine = q.Filter(must=[q.FieldCondition("user", q.MatchValue(str(user)))])
        wanted = q.SearchRequest(
            q.Query.Nearest(question.tolist()), DEPTH, filter=mine, params=q.SearchParams(hnsw_ef=width)
        )
        return [int(one.id) for one in self._shard.search(wanted)]


def recalls(services: Services, library: Library, vectors: Any) -> dict[str, dict[str, float]]:
    """Of the nearest 10 by exact cosine, how many the store's answers have: asked for 10, for 100 (of which the first
    10 count), and how many of the nearest 100 then."""
    figures = {}
    for kind, numbers in library.kinds.items():
        user = numbers[0]
        near = [[library.ids[place] for place in one] for one in nearest(library, user, vectors, CANDIDATES)]
        few, many = (
            [[one.id for one in services.vectors.search(library.users[user], each, limit=limit)] for each in vectors]
            for limit in (DEPTH, CANDIDATES)
        )
        figures[kind] = {
            "asked_10": _share([one[:DEPTH] for one in near], few),
            "asked_100": _share([one[:DEPTH] for one in near], [one[:DEPTH] for one in many]),
            "all_100": _share(near, many),
        }
        words = "  ".join(f"{name} {value:.4f}" for name, value in figures[kind].items())
        print(f"recall@10  {kind:10} {library.sizes[user]:7} passages  {words}", flush=True)
    return figures


def nearest(library: Library, user: int, vectors: Any, depth: int) -> list[list[int]]:
    """By exact cosine, in 32 bits."""
    own = np.flatnonzero(library.owner == user)
    mine = library.vectors[own]
    found = []
    for one in vectors:
        similar = mine @ one
        best = np.argpartition(-similar, min(depth, len(own)) - 1)[:depth]
        found.append(own[best[np.argsort(-similar[best])]].tolist())
    return found


def _share(right: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> float:
    hits = sum(len(set(one) & set(other)) for one, other in zip(right, found, strict=True))
    return hits / sum(len(one) for one in right)


def peers(services: Services, library: Library, vectors: Any, rounds: int) -> dict[str, Any]:
    missing = [package for module, package in PACKAGES.items() if importlib.util.find_spec(module) is None]
    if missing:
        print(f"\n!!! NOT COMPARED with others: pip install {' '.join(PACKAGES.values())} (missing: {missing})\n")
        return {}
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="biblio-bench-") as folder:
        made: list[Peer] = [Faiss(), Qdrant(Path(folder) / "qdrant")]
        for peer in made:
            began = time.monotonic()
            peer.add(library)
            seconds, mib = round(time.monotonic() - began, 1), round(peer.size() / 1024**2, 1)
            figures = library.figures
            print(
                f"{peer.name}: built in {seconds} s, {mib} MiB with its vectors (ours: index {figures['hnsw_mib']} MiB "
                f"in {figures['hnsw_build_seconds']} s, vectors and texts {figures['vectors_table_mib']} MiB)"
            )
            told[peer.name] = {"build_seconds": seconds, "mib": mib}
        told["kinds"] = {kind: _beside(services, library, made, kind, vectors, rounds) for kind in library.kinds}
    return told


def _beside(
    services: Services, library: Library, made: Sequence[Peer], kind: str, vectors: Any, rounds: int
) -> dict[str, Any]:
    """Ours and theirs take turns, question by question."""
    user = library.kinds[kind][0]
    right = [set(one) for one in nearest(library, user, vectors, DEPTH)]
    number = {library.ids[place]: int(place) for place in np.flatnonzero(library.owner == user)}
    ours = [_ours(services, library.users[user], number)]
    widths = [_width(peer, user, vectors, right) for peer in made]
    searches = ours + [_theirs(peer, user, width) for peer, width in zip(made, widths, strict=True)]
    names = ["biblio", *(peer.name for peer in made)]
    asked = [_alternately(searches, vectors, right) for _ in range(rounds)]
    figures: dict[str, Any] = {}
    for place, name in enumerate(names):
        runs = [each[place] for each in asked]
        p50s, p95s = ([float(np.percentile(one.ms, share)) for one in runs] for share in (50, 95))
        figures[name] = {"p50": round(median(p50s), 3), "p95": round(median(p95s), 3), "recall": runs[0].recall}
        figures[name] |= {"p50_rounds": [round(one, 3) for one in p50s]}
    for name, width in zip(names[1:], widths, strict=True):
        figures[name] |= {"ef": width}
        for share in ("p50", "p95"):
            figures[name][f"ours_to_theirs_{share}"] = round(figures["biblio"][share] / figures[name][share], 2)
    _say(kind, library.sizes[user], figures)
    return figures


def _ours(services: Services, user_id: str, number: dict[str, int]) -> Callable[[Any], list[int]]:
    return lambda one: [number[near.id] for near in services.vectors.search(user_id, one, limit=DEPTH)]


def _theirs(peer: Peer, user: int, width: int) -> Callable[[Any], list[int]]:
    return lambda one: peer.search(user, one, width)


def _width(peer: Peer, user: int, vectors: Any, right: Sequence[set[int]]) -> int:
    """The narrowest search that finds enough; the widest where none does."""
    for width in WIDTHS:
        found = [peer.search(user, one, width) for one in vectors[:TRIED]]
        if _recall(found, right[:TRIED]) >= LEAST_RECALL:
            return width
    return WIDTHS[-1]


def _alternately(
    searches: Sequence[Callable[[Any], list[int]]], vectors: Any, right: Sequence[set[int]]
) -> list[Asked]:
    took: list[list[float]] = [[] for _ in searches]
    found: list[list[list[int]]] = [[] for _ in searches]
    for one in vectors:
        for place, search in enumerate(searches):
            began = time.perf_counter()
            found[place].append(search(one))
            took[place].append((time.perf_counter() - began) * 1000)
    return [Asked(ms, _recall(each, right)) for ms, each in zip(took, found, strict=True)]


def _recall(found: Sequence[Sequence[int]], right: Sequence[set[int]]) -> float:
    hits = sum(len(wanted.intersection(one)) for one, wanted in zip(found, right, strict=True))
    return round(hits / sum(map(len, right)), 4)


def _say(kind: str, passages: int, figures: dict[str, Any]) -> None:
    print(f"vector search alone, kind '{kind}' ({passages} passages), in ms:")
    for name, one in figures.items():
        beside = "" if name == "biblio" else f"  ef {one['ef']}  ours/theirs {one['ours_to_theirs_p50']} (p50)"
        beside += f" {one['ours_to_theirs_p95']} (p95)" if beside else ""
        poor = "  TOO LITTLE FOUND, no fair ratio" if one["recall"] < LEAST_RECALL else ""
        print(
            f"  {name:12} p50 {one['p50']:8.3f}  p95 {one['p95']:8.3f}  recall@10 {one['recall']:.4f}"
            f"  p50 of the rounds {one['p50_rounds']}{beside}{poor}",
            flush=True,
        )
