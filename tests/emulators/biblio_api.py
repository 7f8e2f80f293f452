"""biblio's HTTP API and its storage on real sockets, for tests of the client alone. They misbehave on order."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from tests.emulators.biblio_storage import StorageEmulator
from tests.emulators.biblio_uploads import Uploads, upload_of
from tests.emulators.faults import DROP, LOSE, FaultyServer

KEY = "key-of-the-emulator"
ROAD = ("PENDING", "EXTRACTING", "TRANSCRIBING", "EMBEDDING", "INDEXING", "COMPLETED")
NOW = "2026-01-05T09:00:00Z"
TEXT = "그래서 트랜잭션은 전부 되거나 전부 안 되거나 둘 중 하나입니다."
HIDDEN = frozenset({"script", "meta_info", "options"})
"""What a listing leaves out."""
INNER = frozenset({"fingerprint", "acknowledged", "checksums"})
"""What no answer tells."""


USAGE = {
    "from": "2026-01-01T00:00:00Z",
    "to": "2026-01-05T09:00:00Z",
    "totals": {"bytes_stored": 1.5e9, "seconds_transcribed": 3723.0},
    "videos": [
        {"video_id": "v1", "unit": "bytes_stored", "amount": 1.5e9, "engine": "s3"},
        {"video_id": "v1", "unit": "seconds_transcribed", "amount": 3723.0, "engine": "whisper"},
    ],
}


class ApiEmulator(FaultyServer):
    """Every status call moves a video one step on; a file name with `silent` fails, as if it had no sound.

    Files of more than `threshold` bytes go in parts of `part_size`; addresses hold for `url_seconds`.
    """

    def __init__(self) -> None:
        super().__init__(_Handler, [])
        self.storage = StorageEmulator(self.faults)
        self.videos: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        self.keys: list[str | None] = []
        self.signed: list[list[int]] = []
        self.threshold, self.part_size, self.url_seconds = 100 * 1024**2, 8 * 1024**2, 300.0
        self.longest_road: tuple[str, ...] = ROAD
        self.events: list[dict[str, Any]] = []
        self.wishes: list[dict[str, Any]] = []

    def add(self, file_name: str, size: int, mime_type: str | None, title: str | None, options: Any) -> dict[str, Any]:
        video_id = f"00000000-0000-4000-8000-{len(self.videos):012}"
        self.videos[video_id] = {
            "video_id": video_id,
            "title": title or file_name.rpartition(".")[0],
            "file_name": file_name,
            "file_size": size,
            "mime_type": mime_type or "video/mp4",
            "status": "UPLOADING",
            "progress": 0,
            "step": None,
            "error": None,
            "language": None,
            "duration": None,
            "created_at": NOW,
            "poster_url": None,
            "updated_at": NOW,
            "options": options,
            "sha256": None,
            "fingerprint": None,
            "acknowledged": "false",
            "checksums": None,
            "script": None,
            "meta_info": {},
        }
        return self.videos[video_id]

    def advance(self, video: dict[str, Any]) -> None:
        if video["status"] not in self.longest_road[:-1]:
            return
        place = self.longest_road.index(video["status"]) + 1
        video["status"], video["progress"] = self.longest_road[place], place * 20
        if video["status"] == "TRANSCRIBING" and "silent" in video["file_name"]:
            message = "The file has no sound track."
            video["status"], video["step"] = "FAILED", "extract"
            video["error"] = {"step": "extract", "code": "NO_AUDIO_TRACK", "message": message}
        if video["status"] == "COMPLETED":
            video.update(language="ko", duration=3723.5, progress=100)


class _Handler(Uploads):
    @property
    def api(self) -> ApiEmulator:  # type: ignore[override]
        return cast(ApiEmulator, self.server)

    def _any(self) -> None:
        parts = urlsplit(self.path)
        fault = self.api.fault_for(f"{self.command} {parts.path}")
        self.losing = fault is not None and fault.status == LOSE
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault and fault.status == DROP:
            self.close_connection = True
        elif fault and not self.losing:
            self.answer(fault.status, fault.body, fault.headers)
        elif self.headers["Authorization"] != f"Bearer {KEY}":
            self.problem(401, "UNAUTHENTICATED", "The key is missing or not known.")
        else:
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._route(parts.path, query, json.loads(body) if body else {})

    do_GET = do_POST = do_PATCH = do_DELETE = _any

    def _route(self, path: str, query: dict[str, str], body: dict[str, Any]) -> None:
        if path == "/api/search":
            self.api.wishes.append(query)
            self.answer(200, self._found(query))
        elif path == "/api/search/suggest":
            words = ["트랜잭션", "트랜잭션이"][: int(query.get("limit", 10))]
            self.answer(200, {"query": query["q"], "suggestions": words})
        elif path == "/api/usage":
            self.api.wishes.append(query)
            self.answer(200, USAGE)
        elif path == "/api/videos":
            self.create(body) if self.command == "POST" else self._list(query)
        else:
            video_id, _, rest = path.removeprefix("/api/videos/").partition("/")
            video = self.api.videos.get(video_id)
            if video is None:
                self.problem(404, "NOT_FOUND", "There is no such video.")
            else:
                self._video(video, rest, query, body)

    def _list(self, query: dict[str, str]) -> None:
        start, limit = int(query.get("cursor", 0)), int(query.get("limit", 20))
        wanted = {name: query[name] for name in ("status", "fingerprint", "acknowledged") if name in query}
        videos = self.api.videos.values()
        chosen = [video for video in videos if all(video[name] == value for name, value in wanted.items())]
        page = [_shown(video, upload_of(self.api, video), HIDDEN) for video in chosen[start : start + limit]]
        more = start + limit < len(chosen)
        self.answer(200, {"videos": page, "next": str(start + limit) if more else None})

    def _video(self, video: dict[str, Any], rest: str, query: dict[str, str], body: dict[str, Any]) -> None:
        if rest == "status":
            self.api.advance(video)
            left = 42.0 if video["status"] in ROAD[:-1] else None
            self.answer(
                200, {**_state(video), "seconds_left": left, "queue_position": None, "waiting_for": None, "event_id": 1}
            )
        elif rest == "events":
            self.answer(
                200, {"events": [event for event in self.api.events if event["event_id"] > int(query["after"])]}
            )
        elif rest == "cancel":
            video["status"] = "CANCELED"
            self.answer(202, {"video_id": video["video_id"], "status": "CANCELED"})
        elif rest == "reprocess":
            self.api.wishes.append(body)
            video["status"] = "PENDING"
            self.answer(202, {"message": "Processing started", "video_id": video["video_id"], "status": "PENDING"})
        elif rest == "upload-complete":
            self.complete(video)
        elif rest.startswith("upload"):
            self.upload(video, body)
        elif rest == "similar":
            found = {"took_ms": 12, "results": self._found({"q": ""})["results"]}
            self.answer(200, {"video_id": video["video_id"], "time": float(query["t"]), "text": TEXT, **found})
        elif rest == "transcript":
            self.send(200, _transcript(query["format"]).encode(), "text/plain; charset=utf-8")
        elif rest == "media":
            self.answer(200, {"video": {"url": "http://storage/v", "expires_at": NOW}, "audio": None, "poster": None})
        elif self.command == "DELETE":
            del self.api.videos[video["video_id"]]
            self.answer(202, {"video_id": video["video_id"], "status": "DELETING"})
        else:
            video.update(body)
            self.answer(200, _shown(video, upload_of(self.api, video)))

    def _found(self, query: dict[str, str]) -> dict[str, Any]:
        moment = {"start_time": 754.2, "end_time": 771.0, "text": TEXT, "highlights": [[4, 8]], "score": 0.71}
        moment["matched"] = ["words", "meaning"]
        first = next(iter(self.api.videos.values()), None)
        hit = query["q"] != "nothing" and first
        video = {"video_id": first["video_id"], "title": first["title"], "poster_url": None} if first else {}
        found = [{**video, "moments": [moment]}] if hit and first else []
        relaxed = '"' in query["q"]
        return {"query": query["q"], "took_ms": 12, "results": found, "next": None, "relaxed": relaxed}


def _state(video: dict[str, Any]) -> dict[str, Any]:
    return {name: video[name] for name in ("video_id", "status", "progress", "step", "error", "updated_at")}


def _shown(
    video: dict[str, Any], upload: dict[str, Any] | None, hidden: frozenset[str] = frozenset()
) -> dict[str, Any]:
    return {**{name: value for name, value in video.items() if name not in INNER | hidden}, "upload": upload}


def _transcript(format: str) -> str:
    rows = {"results": [{"transcript": TEXT, "start_time": 754.2, "end_time": 771.0}]}
    srt = f"1\n00:12:34,200 --> 00:12:51,000\n{TEXT}\n"
    return {"json": json.dumps(rows, ensure_ascii=False), "srt": srt}.get(format, TEXT)


@contextmanager
def running_api() -> Iterator[ApiEmulator]:
    server = ApiEmulator()
    with server.storage.running(), server.running():
        yield server
