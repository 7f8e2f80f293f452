"""`Client`: one method for each call of the HTTP API, and `upload` and `wait`, which join several."""

import os
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import quote

from biblio.client.models import Accepted, Created, Media, SearchAnswer, Status, Video, VideoSummary
from biblio.client.transport import Transport
from biblio.client.upload import OnProgress, put
from biblio.client.waiting import wait


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

    def create_video(
        self,
        file_name: str,
        file_size: int,
        mime_type: str | None = None,
        *,
        title: str | None = None,
        language: str | None = None,
        model: str | None = None,
    ) -> Created:
        """Announce a file of `file_size` bytes; the answer says where to send them. Without `mime_type` the server
        takes the one of the file name's ending."""
        body = _given(file_name=file_name, file_size=file_size, mime_type=mime_type, title=title)
        options = _given(language=language, model=model)
        return cast(Created, self._post("/api/videos", {**body, **({"options": options} if options else {})}))

    def complete_upload(self, video_id: str) -> Accepted:
        """Say that all bytes are in the storage: the server starts to work."""
        return cast(Accepted, self._post(_path(video_id) + "/upload-complete", {}))

    def upload(
        self,
        path: Path,
        *,
        mime_type: str | None = None,
        title: str | None = None,
        language: str | None = None,
        model: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> Accepted:
        """Send a file of any size from disk straight to the storage and put it on the road; does not wait for its end.

        Raises, beside the API's errors, `OSError` when the file cannot be read and the errors of `upload.put`.
        """
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            created = self.create_video(
                file_name_of(path), size, mime_type, title=title, language=language, model=model
            )
            put(created["upload"], file, size, on_progress)
        return self.complete_upload(created["video_id"])

    def status(self, video_id: str) -> Status:
        return cast(Status, self._get(_path(video_id) + "/status"))

    def wait(self, video_id: str, on_change: Callable[[Status], None] | None = None) -> Status:
        """The last status, once the video is COMPLETED, FAILED, CANCELED or EXPIRED. Asks every 0.2 to 1 s, and lets a
        server that has answered before be away for a minute."""
        return wait(lambda: self.status(video_id), on_change)

    def videos(self, status: str | None = None, page_size: int = 100) -> Iterator[VideoSummary]:
        """All videos, the newest first, fetched page by page as they are taken."""
        cursor: str | None = None
        while True:
            page = self._get("/api/videos", limit=page_size, cursor=cursor, status=status)
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

    def search(
        self, q: str, limit: int | None = None, video_id: str | None = None, mode: str | None = None
    ) -> SearchAnswer:
        """The moments that answer `q`, best video first. `mode` is hybrid, semantic or keyword."""
        return cast(SearchAnswer, self._get("/api/search", q=q, limit=limit, video_id=video_id, mode=mode))

    def _get(self, path: str, **params: Any) -> Any:
        return self._api.json(self._api.ask(path, _given(**params)))

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self._api.json(self._api.send("POST", path, json=body))


def file_name_of(path: Path) -> str:
    """The file's name as Unicode has it: macOS hands out Korean in pieces, and Linux names may hold any bytes."""
    return unicodedata.normalize("NFC", os.fsencode(path.name).decode("utf-8", "replace"))


def _path(video_id: str) -> str:
    return f"/api/videos/{quote(video_id, safe='')}"


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
