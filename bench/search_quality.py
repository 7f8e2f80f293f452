"""How good is search? Rankings of semantic, keyword and hybrid search on sets of questions with known answers.

Everything goes through biblio's own ports: each text is a lecture in a real catalog, its sentences embedded and indexed
as the worker does it, each question a call of `search`. Exit code 1 when hybrid is worse than the better of the others.
"""

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from library import add_lecture, add_user, engines, services_of, video_of
from machine import DATA, describe, join_sound
from retrieval import RIGHT_SECOND, Query, RetrievalSet, retrieval_sets

from biblio.domain.search import EVERYWHERE, Found, Mode, Moment, Scope
from biblio.domain.transcript import Sentence, sentences_of
from biblio.pipeline.search import search
from biblio.pipeline.services import Services
from biblio.ports.embedder import Vector

DEPTH = 10


@dataclass(frozen=True)
class Seen:
    """What one question brought: rank of the first right moment (None: none), and of the right lecture's moments, how
    far the first one and the nearest one begin from the beginning of a sentence that answers, and how far the first one
    begins outside of all of it, in seconds (None: it is not known, or not found)."""

    rank: int | None
    first_off: float | None = None
    nearest_off: float | None = None
    first_outside: float | None = None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA / "retrieval", help="folder of the retrieval sets")
    parser.add_argument("--only", help="sets whose names begin so")
    parser.add_argument(
        "--heard", action="store_true", help="the talks also as biblio's recogniser hears them (minutes)"
    )
    parser.add_argument("--embedder", default="use://", help="address of another one, as e5://")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, and nothing else")
    options = parser.parse_args()
    if not options.data.is_dir():
        raise SystemExit(f"no retrieval sets at {options.data}; give --data")
    say = (lambda _line: None) if options.json else (lambda line: print(line, flush=True))
    if not options.json:
        describe()
    rows: list[dict[str, object]] = []
    with engines(EMBEDDER=options.embedder) as settings, services_of(settings) as services:
        say(f"embedder: {services.embedder.space}")
        say(f"{'set':34} {'mode':9} {'mrr@10':>7} {'ndcg@10':>7} {'hit@1':>7} {'hit@5':>7} {'queries':>7} {'ms':>6}")
        hear = partial(heard, services) if options.heard else None
        for one in retrieval_sets(options.data, hear):
            if one.name.startswith(options.only or ""):
                for row in measured(services, one):
                    rows.append(row)
                    say(line_of(row))
    worse = [f"{row['set']}" for row in rows if row["mode"] == Mode.HYBRID and loses(row, rows)]
    print(json.dumps(rows, ensure_ascii=False, indent=2) if options.json else conclusion(worse))
    return 1 if worse else 0


def heard(services: Services, sounds: list[Path]) -> tuple[Sentence, ...]:
    with tempfile.TemporaryDirectory(prefix="biblio-bench-") as folder:
        sound = Path(folder) / "talk.flac"
        join_sound(sounds, sound)
        pieces = services.speech.transcribe(sound, language=None, model=None, since=0.0)
        return sentences_of([word for piece in pieces for word in piece.words])


def measured(services: Services, one: RetrievalSet) -> Iterator[dict[str, object]]:
    user = add_user(services, one.name)
    names = fill(services, user, one)
    for mode in (Mode.SEMANTIC, Mode.KEYWORD, Mode.HYBRID):
        began = time.perf_counter()
        seen = [ask(services, user, query, mode, names) for query in one.queries]
        took = (time.perf_counter() - began) * 1000 / len(seen)
        yield {"set": one.name, "mode": mode, **scores(seen), "queries": len(seen), **right_seconds(seen), "ms": took}


def fill(services: Services, user: str, one: RetrievalSet) -> dict[str, str]:
    """Lectures by the ids of their videos."""
    texts = sorted({sentence.text for lecture in one.lectures for sentence in lecture.sentences}, key=len)
    vectors: dict[str, Vector] = {}
    for first in range(0, len(texts), 256):
        part = texts[first : first + 256]
        vectors.update(zip(part, services.embedder.embed_documents(part), strict=True))
    names = {}
    for lecture in one.lectures:
        video = video_of(user, lecture.name, lecture.title)
        add_lecture(services, video, lecture.sentences, [vectors[sentence.text] for sentence in lecture.sentences])
        names[video.id] = lecture.name
    return names


def ask(services: Services, user: str, query: Query, mode: Mode, names: dict[str, str]) -> Seen:
    inside = [video_id for video_id, name in names.items() if name == query.inside]
    scope = Scope(only=tuple(inside)) if inside else EVERYWHERE
    answer = search(services, user, query.text, limit=DEPTH, moments=DEPTH, mode=mode, scope=scope)
    moments = flat(answer.found, names, query.whole)[:DEPTH]
    rank = next((number for number, (name, one) in enumerate(moments, 1) if query.right(name, one)), None)
    own = [one for video in answer.found if names[video.video_id] == query.lecture for one in video.moments]
    if not (own and query.answers):
        return Seen(rank)
    off = [min(abs(one.start - start) for start, _ in query.answers) for one in own]
    outside = min(max(start - own[0].start, own[0].start - end, 0.0) for start, end in query.answers)
    return Seen(rank, off[0], min(off), outside)


def flat(found: Sequence[Found], names: dict[str, str], whole: bool) -> list[tuple[str, Moment]]:
    """Moments of all videos, best first; of `whole` lectures one each."""
    most = 1 if whole else None
    moments = [(names[video.video_id], moment) for video in found for moment in video.moments[:most]]
    return sorted(moments, key=lambda one: -one[1].score)


def scores(seen: Sequence[Seen]) -> dict[str, float]:
    ranks = [one.rank for one in seen]
    found = [rank for rank in ranks if rank is not None]
    return {
        "mrr@10": sum(1 / rank for rank in found) / len(ranks),
        "ndcg@10": sum(1 / math.log2(1 + rank) for rank in found) / len(ranks),
        "hit@1": sum(rank == 1 for rank in found) / len(ranks),
        "hit@5": sum(rank <= 5 for rank in found) / len(ranks),
    }


def right_seconds(seen: Sequence[Seen]) -> dict[str, float]:
    """Of the questions whose video was found, with how many the first moment begins within 2.0 s of where the answer
    does, and any moment; and the first one within 2.0 s of the answer's sentence, begun or not."""
    offs = {
        "right_second_first": [one.first_off for one in seen],
        "right_second_any": [one.nearest_off for one in seen],
        "right_sentence_first": [one.first_outside for one in seen],
    }
    known = {name: [off for off in each if off is not None] for name, each in offs.items()}
    return {name: sum(off <= RIGHT_SECOND for off in each) / len(each) for name, each in known.items() if each}


def loses(row: dict[str, object], rows: Sequence[dict[str, object]]) -> bool:
    others = [one["mrr@10"] for one in rows if one["set"] == row["set"] and one["mode"] != Mode.HYBRID]
    return any(float(str(row["mrr@10"])) < float(str(other)) for other in others)


def line_of(row: dict[str, object]) -> str:
    figures = " ".join(f"{row[name]:7.4f}" for name in ("mrr@10", "ndcg@10", "hit@1", "hit@5"))
    seconds = [f"{row[name]:.2f}" for name in row if name.startswith("right_")]
    extra = "  right second: {}, of any moment {}; at the right sentence: {}".format(*seconds) if seconds else ""
    return f"{row['set']!s:34} {row['mode']!s:9} {figures} {row['queries']:7} {row['ms']:6.1f}{extra}"


def conclusion(worse: Sequence[str]) -> str:
    return f"hybrid is worse than one of the others on: {', '.join(worse)}" if worse else "hybrid is nowhere worse"


if __name__ == "__main__":
    sys.exit(main())
