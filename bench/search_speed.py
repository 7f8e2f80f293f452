"""How fast is search, and what does it miss? A large library of many users, asked through the API over HTTP.

One API process, one client, hybrid search, users of very different sizes: what is asked within few of many vectors is
what breaks an index. The library is made of the sentences of the retrieval sets (speed_library.py). Beside it, the
same vectors in FAISS and in Qdrant's embedded engine (speed_peers.py), asked alternately.

For the peers `pip install faiss-cpu qdrant-edge-py`, for the picture of --growth `pip install matplotlib`.
Exit code 1 when p50 of all users is over 20 ms, when for any kind of user p95 is over 60 ms or recall@10 under 0.95,
or, with --growth, when latency grows by more than twice what the logarithm of the passages grows by.
"""

import argparse
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from library import engines, services_of
from machine import DATA, ROOT, describe, load, median
from speed_library import Base, Library, base_of, fill, kinds_of, with_memory
from speed_limits import draw, shortcomings, slower_than_twice_the_logarithm
from speed_peers import peers, recalls
from speed_rows import is_korean

from biblio.adapters.catalog.postgresql.finder import PostgresFinder
from biblio.adapters.registry import connect
from biblio.entrypoints.api.access import as_seen_by
from biblio.pipeline.search import search
from biblio.pipeline.services import Services
from biblio.settings import Settings, read_settings

GROWTH = (10_000, 100_000, 1_000_000)
DEPTH = 10
ASKED_USERS = 5
"""Of one kind, at most; questions go round among them."""
WARM_UP = 20
STAGES = {"words": "by_words", "by_ids": "by_ids", "reading": "reading"}
PERCENTILES = (50, 95, 99)

Rows = list[tuple[str, int, str]]
"""What is asked: kind of user, the user's number, and the question."""


def main() -> int:
    options = _options()
    facts: dict[str, Any] = {"machine": describe(), "shared_buffers": options.buffers, "runs": []}
    print(f"shared_buffers of the bench's PostgreSQL: {options.buffers}", flush=True)
    with_memory(options.buffers)
    began = time.monotonic()
    base = base_of(connect("embedder", read_settings({}).embedder), options.data, options.base, options.seed)
    print(f"{len(base.texts)} sentences embedded in {time.monotonic() - began:.1f} s, {base.korean} of them Korean")
    for passages in GROWTH if options.growth else [options.passages]:
        facts["runs"].append(measured(passages, base, options))
    wrong = [line for run in facts["runs"] for line in shortcomings(run)]
    if options.growth:
        wrong += slower_than_twice_the_logarithm(facts["runs"])
        pictures = ROOT / "docs" / "pictures"
        (pictures / "search_growth.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        draw(facts["runs"], pictures / "search_growth.png")
    if options.json:
        options.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print("\n".join(wrong) or "all within their limits")
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--videos", type=int, help="default: passages / 100")
    parser.add_argument("--users", type=int, help="default: passages / 1000")
    parser.add_argument("--queries", type=int, default=200, help="of each kind of user")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", action="store_true", help="10 k, 100 k and 1 M passages, each in fresh engines")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--base", type=int, default=20_000, help="distinct sentences")
    parser.add_argument("--buffers", default="4GB", help="PostgreSQL's shared_buffers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=DATA / "retrieval", help="folder of the retrieval sets")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    if not options.data.is_dir():
        raise SystemExit(f"no retrieval sets at {options.data}; give --data")
    return options


def measured(passages: int, base: Base, options: argparse.Namespace) -> dict[str, Any]:
    users = options.users or max(10, passages // 1000)
    length = passages / options.videos if options.videos else 100
    with engines() as settings, services_of(settings) as services:
        library = fill(settings, services, base, kinds_of(passages, users), round(length), options.seed)
        print(f"\n{passages} passages: " + ", ".join(f"{name} {value}" for name, value in library.figures.items()))
        questions = _questions(base, options.queries)
        rows = _rows(library, questions)
        run: dict[str, Any] = {"passages": passages, "library": library.figures}
        run["embedding"] = embedding(services, questions)
        vectors = np.array([services.embedder.embed_question(one) for one in questions], np.float32)
        run["recall"] = recalls(services, library, vectors)
        run["api"] = through_api(settings, services, library, rows, options.rounds)
        run["stages"] = stages(services, library, rows)
        if options.peers:
            run["peers"] = peers(services, library, vectors, options.rounds)
    return run


def _questions(base: Base, count: int) -> list[str]:
    """As many Korean ones as English ones: the sets' own questions, then sentences that were said."""
    pool = [*base.questions, *base.texts]
    korean, english = ([one for one in pool if is_korean(one) is wanted] for wanted in (True, False))
    return [one for pair in zip(korean, english, strict=False) for one in pair][:count]


def _rows(library: Library, questions: Sequence[str]) -> Rows:
    """Every question to every kind of user, the kinds taking turns."""
    return [
        (kind, numbers[place % min(len(numbers), ASKED_USERS)], question)
        for place, question in enumerate(questions)
        for kind, numbers in library.kinds.items()
    ]


def embedding(services: Services, questions: Sequence[str]) -> dict[str, float]:
    services.embedder.embed_question("warm")
    took = [_ms(services.embedder.embed_question, one)[0] for one in questions]
    figures = percentiles(took)
    print(f"embedding alone, in ms: {_line(figures)}", flush=True)
    return figures


def through_api(settings: Settings, services: Services, library: Library, rows: Rows, rounds: int) -> dict[str, Any]:
    """Milliseconds from question to answer, by kind of user: of every round, and the median of the rounds."""
    keys = {user: secrets.token_urlsafe(32) for _, user, _ in rows}
    with services.catalog.transaction() as tx:
        for user, key in keys.items():
            tx.users.give_key(library.users[user], key)
    told: list[dict[str, Any]] = []
    with _api(settings) as client:
        for row in rows[: WARM_UP * len(library.kinds)]:
            _asked(client, keys, row)
        for number in range(rounds):
            took = [(row[0], *_asked(client, keys, row)) for row in rows]
            told.append(_summary(library, took) | {"load": load()})
            print(f"through the API in ms, round {number + 1} of {rounds} (load {told[-1]['load']}):")
            for name, figures in told[-1]["kinds"].items():
                print(f"  {name:10} {_line(figures)}", flush=True)
    kinds = told[0]["kinds"]
    middle = {
        kind: {name: median([one["kinds"][kind][name] for one in told]) for name in kinds[kind]} for kind in kinds
    }
    print("median of the rounds:", *(f"  {name:10} {_line(figures)}" for name, figures in middle.items()), sep="\n")
    return {"rounds": told, "median": middle}


def _summary(library: Library, took: Sequence[tuple[str, float, float]]) -> dict[str, Any]:
    """`users` lets every user ask as often as any other, `kinds` every kind of user; `server` is the former as the API
    says it took, without HTTP and who calls."""
    kinds = {kind: percentiles([ms for one, ms, _ in took if one == kind]) for kind in library.kinds}
    every, weights = [ms for _, ms, _ in took], [float(len(library.kinds[kind])) for kind, *_ in took]
    kinds["kinds"] = percentiles(every)
    kinds["users"] = percentiles(every, weights)
    kinds["server"] = percentiles([server for *_, server in took], weights)
    return {"kinds": kinds}


def _asked(client: httpx.Client, keys: dict[int, str], row: tuple[str, int, str]) -> tuple[float, float]:
    _, user, question = row
    headers = {"Authorization": f"Bearer {keys[user]}"}
    took, answer = _ms(lambda: client.get("/api/search", params={"q": question, "limit": DEPTH}, headers=headers))
    answer.raise_for_status()
    return took, float(answer.json()["took_ms"])


@contextmanager
def _api(settings: Settings) -> Iterator[httpx.Client]:
    """One process, started as `biblio up` starts it; its limit of requests is no part of what is measured."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {name: getattr(settings, name).text() for name in ("database", "storage", "queue", "limiter")}
    environment = {f"BIBLIO_{name.upper()}": address for name, address in given.items()}
    environment |= {"BIBLIO_REQUEST_RATE": "1000000"}
    command = [sys.executable, "-m", "biblio", "api", "--port", f"{port}"]
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            _wait(client)
            yield client
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(client: httpx.Client) -> None:
    for _ in range(300):
        try:
            client.get("/healthz").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the API did not start")


def stages(services: Services, library: Library, rows: Rows) -> dict[str, dict[str, float]]:
    """Where a search spends its time: the mean of each part in ms, in this process and without HTTP."""
    spent: dict[str, float] = {}
    figures: dict[str, dict[str, float]] = {}
    parts = [(type(services.embedder), "embed_question", "embedding"), (type(services.vectors), "search", "vectors")]
    parts += [(type(services.vectors), "similarities", "similar")]
    parts += [(PostgresFinder, method, name) for name, method in STAGES.items()]
    with _timed(parts, spent):
        for kind in library.kinds:
            mine = [row for row in rows if row[0] == kind][:100]
            spent.clear()
            for number, (_, user, question) in enumerate(mine):
                if number == WARM_UP:
                    spent.clear()
                user_id = library.users[user]
                seen = as_seen_by(user_id, services)
                spent["whole"] = spent.get("whole", 0.0) + _ms(search, seen, user_id, question)[0]
            figures[kind] = {name: round(value / max(1, len(mine) - WARM_UP), 2) for name, value in spent.items()}
            figures[kind]["others"] = round(2 * figures[kind]["whole"] - sum(figures[kind].values()), 2)
            print(f"mean ms  {kind:10}", "  ".join(f"{name} {value}" for name, value in figures[kind].items()))
    return figures


@contextmanager
def _timed(parts: Sequence[tuple[type, str, str]], spent: dict[str, float]) -> Iterator[None]:
    plain = [(owner, method, getattr(owner, method)) for owner, method, _ in parts]
    for owner, method, name in parts:
        setattr(owner, method, _watched(getattr(owner, method), name, spent))
    try:
        yield
    finally:
        for owner, method, function in plain:
            setattr(owner, method, function)


def _watched(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    @wraps(function)
    def watched(*words: Any, **named: Any) -> Any:
        took, answer = _ms(lambda: function(*words, **named))
        spent[name] = spent.get(name, 0.0) + took
        return answer

    return watched


def _ms(function: Callable[..., Any], *words: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = function(*words)
    return (time.perf_counter() - began) * 1000, answer


def percentiles(took: Sequence[float], weights: Sequence[float] | None = None) -> dict[str, float]:
    method = {"weights": weights, "method": "inverted_cdf"} if weights else {}
    return {f"p{one}": round(float(np.percentile(took, one, **method)), 2) for one in PERCENTILES}


def _line(figures: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:7.2f}" for name, value in figures.items())


if __name__ == "__main__":
    sys.exit(main())
