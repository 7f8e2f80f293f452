"""biblio's HTTP API and its storage on a real socket, for tests of the client alone. It misbehaves on order."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

KEY = "key-of-the-emulator"
ROAD = ("PENDING", "EXTRACTING", "TRANSCRIBING", "EMBEDDING", "INDEXING", "COMPLETED")
NOW = "2026-01-05T09:00:00Z"
DROP = 0
"""Instead of an HTTP status: hang up without an answer."""
TEXT = "그래서 트랜잭션은 전부 되거나 전부 안 되거나 둘 중 하나입니다."


@dataclass
class Fault:
    """Answer the next `times` calls whose `METHOD path` matches with `status`."""

    pattern: str
    status: int
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)


class ApiEmulator(ThreadingHTTPServer):
    """Every status call moves a video one step on; a file name with `silent` fails, as if it had no sound."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.videos: dict[str, dict[str, Any]] = {}
        self.received: dict[str, int] = {}
        self.calls: list[str] = []
        self.put_headers: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.expired_uploads = False
        self.longest_road: tuple[str, ...] = ROAD
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silent: a client that hangs up is part of the tests."""

    def fault_for(self, call: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times and re.fullmatch(fault.pattern, call):
                    fault.times -= 1
                    return fault
        return None

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
            "updated_at": NOW,
            "options": options,
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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def api(self) -> ApiEmulator:
        return cast(ApiEmulator, self.server)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _any(self) -> None:
        parts = urlsplit(self.path)
        call = f"{self.command} {parts.path}"
        self.api.calls.append(call)
        fault = self.api.fault_for(call)
        if fault and fault.status == DROP:
            self.close_connection = True
            return
        if self.command == "PUT":
            self._store(parts.path.rpartition("/")[2], fault)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault:
            self._answer(fault.status, fault.body, fault.headers)
        elif self.headers["Authorization"] != f"Bearer {KEY}":
            self._problem(401, "UNAUTHENTICATED", "The key is missing or not known.")
        else:
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._route(parts.path, query, json.loads(body) if body else {})

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _any

    def _route(self, path: str, query: dict[str, str], body: dict[str, Any]) -> None:
        if path == "/api/search":
            self._answer(200, self._found(query))
        elif path == "/api/videos":
            self._create(body) if self.command == "POST" else self._list(query)
        else:
            video_id, _, rest = path.removeprefix("/api/videos/").partition("/")
            video = self.api.videos.get(video_id)
            if video is None:
                self._problem(404, "NOT_FOUND", "There is no such video.")
            else:
                self._video(video, rest, query, body)

    def _create(self, body: dict[str, Any]) -> None:
        if not body["file_name"].lower().endswith((".mp4", ".mov", ".avi", ".mkv")):
            self._problem(422, "UNSUPPORTED_FORMAT", "Files ending in '.txt' are not taken.")
            return
        video = self.api.add(
            body["file_name"], body["file_size"], body.get("mime_type"), body.get("title"), body.get("options", {})
        )
        expiry = datetime.now(UTC) + timedelta(minutes=-1 if self.api.expired_uploads else 5)
        upload = {
            "method": "PUT",
            "url": f"{self.api.url}/storage/{video['video_id']}?X-Amz-Signature=s3cr3t",
            "headers": {"Content-Type": video["mime_type"]},
            "expires_at": expiry.isoformat(),
        }
        self._answer(201, {"video_id": video["video_id"], "status": "UPLOADING", "upload": upload})

    def _list(self, query: dict[str, str]) -> None:
        start, limit = int(query.get("cursor", 0)), int(query.get("limit", 20))
        chosen = [video for video in self.api.videos.values() if query.get("status") in (None, video["status"])]
        page = chosen[start : start + limit]
        hidden = ("script", "meta_info", "options")
        videos = [{name: value for name, value in video.items() if name not in hidden} for video in page]
        more = start + limit < len(chosen)
        self._answer(200, {"videos": videos, "next": str(start + limit) if more else None})

    def _video(self, video: dict[str, Any], rest: str, query: dict[str, str], body: dict[str, Any]) -> None:
        video_id = video["video_id"]
        url = f"/api/videos/{video_id}/status"
        if rest == "status":
            self.api.advance(video)
            names = ("video_id", "status", "progress", "step", "error", "updated_at")
            self._answer(200, {name: video[name] for name in names})
        elif rest == "upload-complete":
            if self.api.received.get(video_id) != video["file_size"]:
                self._problem(409, "SIZE_MISMATCH", "The stored file has another size than announced.")
                return
            video["status"] = "PENDING"
            answer = {"message": "Processing started", "video_id": video_id, "status": "PENDING"}
            self._answer(202, {**answer, "check_status_url": url})
        elif rest == "transcript":
            self._send(200, _transcript(query["format"]).encode(), "text/plain; charset=utf-8")
        elif rest == "media":
            self._answer(200, {"video": {"url": "http://storage/v", "expires_at": NOW}, "audio": None})
        elif self.command == "DELETE":
            del self.api.videos[video_id]
            self._answer(202, {"video_id": video_id, "status": "DELETING"})
        else:
            video.update(body)
            self._answer(200, video)

    def _found(self, query: dict[str, str]) -> dict[str, Any]:
        moment = {"start_time": 754.2, "end_time": 771.0, "text": TEXT, "highlights": [[4, 8]], "score": 0.71}
        first = next(iter(self.api.videos.values()), None)
        hit = query["q"] != "nothing" and first
        found = [{"video_id": first["video_id"], "title": first["title"], "moments": [moment]}] if hit and first else []
        return {"query": query["q"], "took_ms": 12, "results": found}

    def _store(self, video_id: str, fault: Fault | None) -> None:
        self.api.put_headers = dict(self.headers.items())
        if self.api.expired_uploads:
            body = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
            self.close_connection = True
            self._send(403, body, "application/xml")
            return
        left = int(self.headers["Content-Length"])
        self.api.received[video_id] = left
        if fault and fault.status == 1:  # hang up in the middle
            left //= 2
            self.close_connection = True
        while left > 0:
            left -= len(self.rfile.read(min(left, 1 << 20)))
        if fault and fault.status > 1:
            self._send(fault.status, b"<Error><Code>EntityTooLarge</Code></Error>", "application/xml")
        elif not fault:
            self._send(200, b"", "application/xml")

    def _problem(self, status: int, code: str, detail: str) -> None:
        body = {"type": "about:blank", "title": "Problem", "status": status, "code": code, "detail": detail}
        self._send(status, json.dumps(body).encode(), "application/problem+json")

    def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), "application/json", headers)

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _transcript(format: str) -> str:
    rows = {"results": [{"transcript": TEXT, "start_time": 754.2, "end_time": 771.0}]}
    srt = f"1\n00:12:34,200 --> 00:12:51,000\n{TEXT}\n"
    return {"json": json.dumps(rows, ensure_ascii=False), "srt": srt}.get(format, TEXT)


@contextmanager
def running_api() -> Iterator[ApiEmulator]:
    with ApiEmulator() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()
