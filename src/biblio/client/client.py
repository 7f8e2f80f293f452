"""`Client`: one method for each call of the HTTP API, and `upload` and `wait`, which join several."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import quote

from biblio.client.backoff import USUAL, Retries
from biblio.client.live import follow
from biblio.client.models import (
    Accepted,
    Canceled,
    Created,
    Event,
    Media,
    Receipt,
    SearchAnswer,
    SignedPart,
    SimilarMoments,
    Status,
    UploadParts,
    UsageReport,
    Video,
    VideoSummary,
)
from biblio.client.open_upload import Manner
from biblio.client.resume import Wish
from biblio.client.slots import LONG
from biblio.client.transport import Transport
from biblio.client.upload import send_file
from biblio.client.waiting import PATIENCE, wait

COMPLETION_SECONDS = 300.0
"""A storage may need minutes to put a huge object together, and the server answers when it has."""
MOST_EVENTS = 1000
"""In one answer."""


class Client:
    """A person's library at `url`. Safe to share between threads. Every method raises the errors of `biblio.errors`,
    with the server's `code` and sentence."""

    def __init__(self, url: str, api_key: str, timeout: float = 30.0) -> None:
        """`timeout` in seconds, for each answer of the API; an upload has its own. Raises `Misconfigured`."""
        self._api = Transport(url, api_key, timeout)
        self.url = self._api.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._api.close()

    @property
    def has_answered(self) -> bool:
        """Whether the server was ever there."""
        return self._api.answered

    def upload(
        self,
        path: Path,
        *,
        mime_type: str | None = None,
        title: str | None = None,
        language: str | None = None,
        model: str | None = None,
        on_progress: Callable[[int], None] | None = None,
        on_open: Callable[[str, int], None] | None = None,
        parallel: int = 4,
        parallel_from: float = LONG,
        retries: Retries = USUAL,
    ) -> Accepted:
        """Send a file of any size from disk straight to the storage and put it on the road; does not wait for its end.

        An upload of the same bytes with the same wishes that was broken off is taken up where it stopped, wherever it
        was begun. `on_open` hears its id and how many bytes are there already; `on_progress`, how many are there or on
        their way, which goes back when some are lost; both in this thread. Parts of a large file go one at a time, so
        that a kill costs no more; up to `parallel` while the line is good and `parallel_from` seconds or more are to
        go. What breaks is sent again as `retries` says, and the server may be away for a minute.

        Raises, beside the API's errors, `OSError` when the file cannot be read; `Conflict` (FILE_CHANGED),
        `Unavailable` (UPLOAD_INTERRUPTED) and `Rejected` (UPLOAD_URL_EXPIRED, UPLOAD_REJECTED, WRONG_DIGEST).
        """
        return send_file(
            self,
            path,
            Wish(mime_type, title, language, model),
            Manner(on_progress, on_open, parallel, retries, parallel_from),
        )

    def create_video(
        self,
        file_name: str,
        file_size: int,
        mime_type: str | None = None,
        *,
        title: str | None = None,
        language: str | None = None,
        model: str | None = None,
        sha256: str | None = None,
        fingerprint: str | None = None,
        idempotency_key: str | None = None,
    ) -> Created:
        """Announce a file of `file_size` bytes; the answer says where to send them. Without `mime_type` the server
        takes the one of the file name's ending. `sha256` is hex, of the whole file. With a key of its own, the call is
        repeated when its answer is lost, and makes one video all the same."""
        body = _given(
            file_name=file_name,
            file_size=file_size,
            mime_type=mime_type,
            title=title,
            sha256=sha256,
            fingerprint=fingerprint,
            options=_given(language=language, model=model) or None,
        )
        send = self._api.repeat if idempotency_key else self._api.send
        return cast(Created, self._api.json(send("POST", "/api/videos", json=body, headers=_keyed(idempotency_key))))

    def upload_parts(self, video_id: str) -> UploadParts:
        """What storage holds of an upload in parts, and what is missing."""
        return cast(UploadParts, self._get(_path(video_id) + "/upload/parts"))

    def sign_parts(
        self, video_id: str, numbers: Sequence[int], sha256: Mapping[int, str] | None = None
    ) -> list[SignedPart]:
        """Addresses for 1 to 100 parts. `sha256` in hex by number, for each of them or for none."""
        digests = {str(number): digest for number, digest in (sha256 or {}).items()}
        body = {"numbers": list(numbers), **({"sha256": digests} if digests else {})}
        answer = self._api.json(self._api.repeat("POST", _path(video_id) + "/upload/parts", json=body))
        return cast(list[SignedPart], answer["parts"])

    def cancel_upload(self, video_id: str) -> Canceled:
        """End an upload and free what it takes in storage."""
        return cast(Canceled, self._api.json(self._api.repeat("DELETE", _path(video_id) + "/upload")))

    def complete_upload(self, video_id: str, idempotency_key: str | None = None) -> Accepted:
        """Say that all bytes are in the storage: the server starts to work. May be said more than once."""
        answer = self._api.repeat(
            "POST",
            _path(video_id) + "/upload-complete",
            json={},
            headers=_keyed(idempotency_key),
            timeout=COMPLETION_SECONDS,
        )
        return cast(Accepted, self._api.json(answer))

    def status(self, video_id: str) -> Status:
        return cast(Status, self._get(_path(video_id) + "/status"))

    def wait(self, video_id: str, on_change: Callable[[Status], None] | None = None) -> Status:
        """The last status, once the video is COMPLETED, FAILED, CANCELED or EXPIRED. Listens to its live socket; where
        there is none, asks every 0.2 to 1 s. A server that has answered before may be away for a minute."""
        live = _path(video_id) + "/status/ws"
        return wait(lambda: self.status(video_id), lambda: self._api.live(live), on_change)

    def events(self, after: int | None = None, *, patience: float = PATIENCE) -> Iterator[Event]:
        """Whatever happens to the user's videos, as it happens, without end: what the log has after event `after` (0:
        all of it), else from now on. A line that breaks is taken up again without a gap or a double. A server that has
        answered before may be away for `patience` seconds."""
        return follow(lambda cursor: self._api.live("/api/events", cursor), after, patience)

    def history(self, video_id: str) -> list[Event]:
        """What happened to a video, oldest first: every status, attempt and retry, with the reasons."""
        events: list[Event] = []
        while True:
            after = events[-1]["event_id"] if events else 0
            page = self._get(_path(video_id) + "/events", after=after, limit=MOST_EVENTS)["events"]
            events += page
            if len(page) < MOST_EVENTS:
                return events

    def cancel(self, video_id: str) -> Canceled:
        """Stop the work on a video, or its upload: CANCELED; or COMPLETED as it was, where it was being reprocessed."""
        return cast(Canceled, self._api.json(self._api.repeat("POST", _path(video_id) + "/cancel")))

    def reprocess(
        self, video_id: str, *, step: str | None = None, language: str | None = None, model: str | None = None
    ) -> Accepted:
        """Process a video again, from `step` (extract, transcribe, embed, index) on, else from where it is of use. With
        a language or a model, both are set anew. Until it is done, searches find the video as it was."""
        body = _given(step=step, options=_given(language=language, model=model) or None)
        return cast(Accepted, self._api.json(self._api.send("POST", _path(video_id) + "/reprocess", json=body)))

    def receipt(self, video_id: str) -> Receipt:
        """What was removed with a deleted video. Raises `NotFound` while it is being removed."""
        return cast(Receipt, self._get(_path(video_id) + "/receipt"))

    def usage(self, start: datetime | None = None, end: datetime | None = None) -> UsageReport:
        """What was used from `start` (else: this month) up to `end` (else: now). Moments without a zone are UTC."""
        moments = {"from": start.isoformat() if start else None, "to": end.isoformat() if end else None}
        return cast(UsageReport, self._get("/api/usage", **moments))

    def videos(
        self,
        status: str | None = None,
        page_size: int = 100,
        fingerprint: str | None = None,
        acknowledged: bool | None = None,
    ) -> Iterator[VideoSummary]:
        """All videos, the newest first, fetched page by page as they are taken. `fingerprint`: only those of a file
        (`biblio.client.fingerprint`); `acknowledged`: only those for which `complete_upload` was called, or was not."""
        chosen = {"status": status, "fingerprint": fingerprint, "acknowledged": acknowledged}
        cursor: str | None = None
        while True:
            page = self._get("/api/videos", limit=page_size, cursor=cursor, **chosen)
            yield from page["videos"]
            cursor = page["next"]
            if cursor is None:
                return

    def video(self, video_id: str) -> Video:
        return cast(Video, self._get(_path(video_id)))

    def rename(self, video_id: str, title: str) -> Video:
        return cast(Video, self._api.json(self._api.send("PATCH", _path(video_id), json={"title": title})))

    def delete(self, video_id: str) -> None:
        """Hide the video at once; its data goes away soon after."""
        self._api.send("DELETE", _path(video_id))

    def transcript(self, video_id: str, format: str = "txt") -> str:
        """As text: `txt`, `srt`, `vtt`, or `json`, which is `{"results":[{transcript,start_time,end_time}]}`."""
        return self._api.ask(_path(video_id) + "/transcript", {"format": format}).content.decode()

    def media(self, video_id: str) -> Media:
        """Signed addresses of the video and its sound; they are secrets until they expire."""
        return cast(Media, self._get(_path(video_id) + "/media"))

    def search(self, q: str, **options: Any) -> SearchAnswer:
        """The moments that answer `q`, best video first.

        Options are the call's own: limit, moments, video_id, mode (hybrid, semantic, keyword), cursor, and the filters
        language, from, to, min_duration, max_duration, title.
        """
        return cast(SearchAnswer, self._get("/api/search", q=q, **options))

    def suggest(self, typed: str, limit: int | None = None) -> list[str]:
        """What might be meant by what is being typed."""
        return cast("list[str]", self._get("/api/search/suggest", q=typed, limit=limit)["suggestions"])

    def similar(self, video_id: str, seconds: float, limit: int | None = None) -> SimilarMoments:
        """Moments about the same as the one at `seconds`."""
        return cast(SimilarMoments, self._get(f"{_path(video_id)}/similar", t=seconds, limit=limit))

    def _get(self, path: str, **params: Any) -> Any:
        return self._api.json(self._api.ask(path, _given(**params)))


def _path(video_id: str) -> str:
    return f"/api/videos/{quote(video_id, safe='')}"


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _keyed(idempotency_key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": idempotency_key} if idempotency_key else {}
