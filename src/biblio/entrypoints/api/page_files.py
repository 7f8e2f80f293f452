"""The page's files, read and compressed once: what runs goes on with what it began with while another is built."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

INDEX = "/index.html"
ASSETS = "/assets/"
"""Names in there hold a digest of what is in the file, so none of them ever changes."""
FOREVER = "public, max-age=31536000, immutable"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
"""Not the system's table, which may know another one."""
COMPRESSED = {"br": ".br", "gzip": ".gz"}
"""Smallest first."""
PACKED = {".png", ".woff2"}


@dataclass(frozen=True)
class File:
    """`bodies` by content encoding; the plain one is `identity`."""

    content_type: str
    bodies: Mapping[str, bytes]
    etag: str

    def chosen(self, accepted: str) -> tuple[str, bytes]:
        """Encoding and body for what `Accept-Encoding` says."""
        wanted = _encodings(accepted)
        name = next((one for one in COMPRESSED if one in wanted and one in self.bodies), "identity")
        return name, self.bodies[name]


class PageFiles:
    """Serves the files of a folder. Addresses that are no file are the page's own: it reads them itself."""

    def __init__(self, folder: Path) -> None:
        paths = [path for path in folder.rglob("*") if path.suffix in TYPES]
        self._files = {f"/{path.relative_to(folder).as_posix()}": _read(path) for path in paths}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise HTTPException(404)
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        await self._answer(scope["path"], Headers(scope=scope))(scope, receive, send)

    def _answer(self, path: str, asked: Headers) -> Response:
        file = self._file(path)
        encoding, body = file.chosen(asked.get("accept-encoding", ""))
        headers = {"ETag": f'"{file.etag}-{encoding}"', "Vary": "Accept-Encoding", "Content-Type": file.content_type}
        if path.startswith(ASSETS):
            headers["Cache-Control"] = FOREVER
        if headers["ETag"] in asked.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if encoding != "identity":
            headers["Content-Encoding"] = encoding
        return Response(body, headers=headers)

    def _file(self, path: str) -> File:
        is_page = "." not in path.rpartition("/")[2] and not path.startswith(ASSETS)
        file = self._files.get(INDEX if is_page else path)
        if file is None:
            missing = "The page was not built: `tools/build_page` builds it." if is_page else "There is no such file."
            raise HTTPException(404, missing)
        return file


def _read(path: Path) -> File:
    plain = path.read_bytes()
    bodies = {"identity": plain}
    for encoding, ending in COMPRESSED.items():
        beside = path.with_name(path.name + ending)
        if beside.is_file():
            bodies[encoding] = beside.read_bytes()
    if path.suffix not in PACKED:
        bodies.setdefault("gzip", gzip.compress(plain, mtime=0))
    kept = {encoding: body for encoding, body in bodies.items() if len(body) < len(plain) or body is plain}
    return File(TYPES[path.suffix], kept, hashlib.sha256(plain).hexdigest()[:20])


def _encodings(accepted: str) -> set[str]:
    named = (one.strip().partition(";") for one in accepted.lower().split(","))
    return {name.strip() for name, _, quality in named if quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.000")}
