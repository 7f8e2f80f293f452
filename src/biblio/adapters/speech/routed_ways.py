"""The engines of a route, and which of them fit what is wished."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from biblio.adapters.speech.routed_rules import Rules
from biblio.errors import InvalidInput
from biblio.ports.speech import SpeechEngine

_FURTHEST = ("UNKNOWN_MODEL", "UNKNOWN_LANGUAGE", "TOO_LONG")
"""In the order in which it is looked at: what was refused last is what was wrong with an engine that nearly fitted."""


@dataclass(frozen=True)
class Wish:
    """What a sound is to be heard with; `seconds` None: nobody knows yet how long it is.

    `may_be_detected`: the language may be one that was heard, not one that was asked for.
    """

    language: str | None
    model: str | None
    seconds: float | None = None
    may_be_detected: bool = False


@dataclass(frozen=True)
class Way:
    """An engine by its name in the route, and when it is asked."""

    name: str
    engine: SpeechEngine
    rules: Rules

    def refusal(self, wish: Wish, *, ruled: str | None) -> InvalidInput | None:
        """`ruled`: the language that rules look at."""
        try:
            self.engine.check(wish.language, wish.model)
        except InvalidInput as error:
            return error
        return self.rules.refusal(self.engine, ruled, wish.model, wish.seconds)


def fitting(ways: Sequence[Way], wish: Wish) -> list[Way]:
    """In their order. Raises `InvalidInput`, saying why each of them does not fit.

    Once a language was detected, engines for that language come first, but who was good enough before is so still.
    """
    languages = [wish.language, None] if wish.may_be_detected and wish.language else [wish.language]
    found: list[Way] = []
    for ruled in languages:
        found += [way for way in ways if way not in found and way.refusal(wish, ruled=ruled) is None]
    if not found:
        raise _refused(ways, wish)
    return found


def _refused(ways: Sequence[Way], wish: Wish) -> InvalidInput:
    refusals = {way.name: refusal for way in ways if (refusal := way.refusal(wish, ruled=wish.language))}
    nearest = max(refusals.values(), key=lambda one: _FURTHEST.index(one.code) if one.code in _FURTHEST else -1)
    if len(ways) == 1:
        return nearest
    told = " ".join(f"{name}: {refusal.message}" for name, refusal in refusals.items())
    return InvalidInput(f"No speech engine takes this. {told}", code=nearest.code)


def with_names(ways: Sequence[Way], hosts: Sequence[str]) -> list[Way]:
    """Engines of one name are told apart by what their addresses point at, or else by their places."""
    names = [way.name for way in ways]
    longer = [f"{name} ({host})" if host else name for name, host in zip(names, hosts, strict=True)]
    numbered = [f"{name} ({place})" for place, name in enumerate(names, 1)]
    return [
        replace(way, name=next(kind[at] for kind in (names, longer, numbered) if kind.count(kind[at]) == 1))
        for at, way in enumerate(ways)
    ]
