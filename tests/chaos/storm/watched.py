"""Services whose every port tells where the work is, so that a storm can strike there. What they do is not changed."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any, BinaryIO, cast

from biblio.pipeline.services import Services
from biblio.ports.audio import Sound, Source
from biblio.ports.jobs import Claim
from biblio.ports.speech import Heard
from tests.chaos.storm.points import Points, die

POISON = "poison"
"""The title of a film whose worker dies at it, whenever it is tried."""

WEIGHT = (
    "claim",
    "checkpoint",
    "done",
    "give-back",
    "fail",
    "forget",
    "create",
    "request",
    "told",
    "due",
    "bury",
    "renew",
)
"""By which deed a transaction is called, where there are several in it."""


def watched(services: Services, points: Points) -> Services:
    ports: dict[str, Any] = {
        "catalog": Catalog,
        "storage": Storage,
        "queue": Queue,
        "audio": Audio,
        "speech": Speech,
        "embedder": Embedder,
        "vectors": Vectors,
    }
    seen: dict[str, Any] = {name: make(getattr(services, name), points) for name, make in ports.items()}
    return replace(services, **seen)


class Port:
    """Whatever is not told of goes straight through."""

    def __init__(self, port: Any, points: Points) -> None:
        self._port, self._points = port, points

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def _around(self, deed: str, act: Callable[..., Any], *given: Any, **more: Any) -> Any:
        self._points.reach(deed, "before")
        answer = act(*given, **more)
        self._points.reach(deed, "after")
        return answer


class Catalog(Port):
    def of(self, user_id: str) -> "Catalog":
        return Catalog(self._port.of(user_id), self._points)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with self._port.transaction() as tx:
            noted = Transaction(tx, self._points)
            yield noted
            deed = noted.deed()
            if deed:
                self._points.reach(deed, "before-commit")
        if deed:
            self._points.reach(deed, "after-commit")


class Transaction:
    def __init__(self, tx: Any, points: Points) -> None:
        self._tx, self._points, self._deeds = tx, points, list[str]()

    def __getattr__(self, name: str) -> Any:
        return View(getattr(self._tx, name), name, self._note)

    def deed(self) -> str | None:
        return min(self._deeds, key=lambda deed: WEIGHT.index(deed.partition(" ")[0]), default=None)

    def _note(self, call: str, given: tuple[Any, ...], more: dict[str, Any], answer: Any) -> None:
        if call == "jobs.claim":
            self._points.work = cast("Claim | None", answer)
        deed = _deed(call, given, more, answer)
        if deed:
            self._deeds.append(deed)


def _deed(call: str, given: tuple[Any, ...], more: dict[str, Any], answer: Any) -> str | None:
    match call:
        case "jobs.claim":
            return "claim" if answer is not None else None
        case "jobs.renew":
            return "checkpoint" if more.get("checkpoint") is not None else "renew"
        case "jobs.end":
            if more["result"] is not None:
                return "done"
            return "give-back" if more.get("retry_after") is not None else "fail"
        case "jobs.request":
            return f"request {given[1]}"
    return {"videos.add": "create", "videos.forget": "forget", "outbox.told": "told", "outbox.due": "due"}.get(call)


class View:
    """One of a transaction's views; the catalog's own do not know that they are watched."""

    def __init__(self, view: Any, name: str, note: Callable[..., None]) -> None:
        self._view, self._name, self._note = view, name, note

    def __getattr__(self, method: str) -> Any:
        def call(*given: Any, **more: Any) -> Any:
            answer = getattr(self._view, method)(*given, **more)
            self._note(f"{self._name}.{method}", given, more, answer)
            return answer

        return call


class Queue(Port):
    def publish(self, job: Any) -> None:
        self._around("publish", self._port.publish, job)


class Storage(Port):
    def read(self, key: str, **more: Any) -> Iterator[bytes]:
        self._points.reach("read", "start")
        with closing(self._port.read(key, **more)) as pieces:
            for number, piece in enumerate(pieces):
                yield piece
                if number == 0:
                    self._points.reach("read", "middle")
        self._points.reach("read", "end")

    def write(self, key: str, content: BinaryIO, *, content_type: str) -> Any:
        self._points.reach("write", "start")
        half_read = cast(BinaryIO, HalfRead(content, self._points))
        stored = self._port.write(key, half_read, content_type=content_type)
        self._points.reach("write", "end")
        return stored

    def remove(self, prefix: str) -> Any:
        return self._around("remove", self._port.remove, prefix)


class HalfRead(Port):
    """A stream on its way into storage."""

    def read(self, size: int = -1) -> bytes:
        piece: bytes = self._port.read(size)
        self._points.reach("write", "middle")
        return piece


class Audio(Port):
    def extract(self, source: Source, folder: Any, on_progress: Callable[[float], None]) -> Sound:
        def progress(done: float) -> None:
            on_progress(done)
            if done > 0:
                self._points.reach("sound", "middle")

        self._points.reach("sound", "start")
        if self._points.work is not None and self._points.work.video.title == POISON:
            die()
        sound: Sound = self._port.extract(source, folder, progress)
        self._points.reach("sound", "end")
        return sound


class Speech(Port):
    def transcribe(self, audio: Any, **more: Any) -> Iterator[Heard]:
        self._points.reach("speech", "start")
        with closing(self._port.transcribe(audio, **more)) as rest:
            for heard in rest:
                self._points.reach("speech", "end" if heard.ends_piece else "middle")
                yield heard


class Embedder(Port):
    def embed_documents(self, texts: Any, **more: Any) -> Any:
        return self._around("embedder", self._port.embed_documents, texts, **more)


class Vectors(Port):
    def upsert(self, owner: Any, records: Any) -> Any:
        return self._around("upsert", self._port.upsert, owner, records)

    def search(self, *given: Any, **more: Any) -> Any:
        return self._around("probe", self._port.search, *given, **more)

    def remove(self, *given: Any, **more: Any) -> Any:
        return self._around("unindex", self._port.remove, *given, **more)
