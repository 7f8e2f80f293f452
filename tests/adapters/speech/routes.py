"""Routes of scripted engines, and what they hear."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from biblio.adapters.registry import connect
from biblio.adapters.speech.routed import Routed, route
from biblio.domain.transcript import Word
from biblio.dsn import Dsn
from biblio.ports.speech import Heard, SpeechEngine

ANY: dict[str, Any] = {"language": None, "model": None}


def ended(heard: Iterator[Heard]) -> list[Heard]:
    return [one for one in heard if one.ends_piece]


def words(heard: Sequence[Heard]) -> list[Word]:
    return [word for one in heard for word in one.words]


def begun(log: Path) -> list[float]:
    calls = map(json.loads, log.read_text().splitlines())
    return [call["start"] for call in calls if call["event"] == "begin"]


def by_hand(*engines: SpeechEngine) -> Routed:
    return route([(engine, Dsn("scripted")) for engine in engines])


def scripted() -> SpeechEngine:
    engine: SpeechEngine = connect("speech", Dsn("scripted"))
    return engine


def routed(*addresses: str) -> Routed:
    found = [Dsn.parse(address, may_have_rules=True) for address in addresses]
    return route([(connect("speech", dsn), dsn) for dsn in found])
