"""Google's uploads in parts (its XML API), and what it promises less than S3.

It lists no checksum of a part, and takes no precondition at the end of an upload: whoever completes last, wins. Every
part is held to the SHA-256 in its own signature.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from biblio.adapters.storage.gcs_errors import translated
from biblio.adapters.storage.gcs_xml import XmlApi, completion, read_document, text
from biblio.adapters.storage.prefixes import is_meant
from biblio.errors import Conflict, NotFound
from biblio.ports.multipart import StoredPart
from biblio.ports.storage import SignedRequest, StoredObject


class Signer(Protocol):
    def __call__(
        self, method: str, key: str, seconds: int, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> SignedRequest: ...


def bound(size: int, sha256: str | None) -> dict[str, str]:
    """The headers that hold an upload to its size and bytes; signed, so that nobody can leave them out.

    Of a signed URL, Google looks at its own range of lengths and not at Content-Length. The hash of what is sent takes
    the place of UNSIGNED-PAYLOAD in the signature, and Google compares it with what arrives.
    """
    hashed = {} if sha256 is None else {"x-goog-content-sha256": sha256}
    return {"x-goog-content-length-range": f"{size},{size}", **hashed}


class GcsMultipartUploads:
    """See `biblio.ports.multipart.MultipartUploads`. Safe for threads."""

    def __init__(self, xml: XmlApi, sign: Signer, stat: Callable[[str], StoredObject]) -> None:
        self._xml = xml
        self._sign = sign
        self._stat = stat

    def begin(self, key: str, *, content_type: str, checksums: bool) -> str:
        """`checksums` changes nothing: here each part's signature speaks for itself."""
        del checksums
        with translated(key):
            answer = self._xml.call("POST", key, {"uploads": ""}, headers={"Content-Type": content_type})
            return text(read_document(answer), "UploadId")

    def sign_part(
        self, key: str, upload_id: str, number: int, *, size: int, seconds: int, sha256: str | None = None
    ) -> SignedRequest:
        query = {"partNumber": str(number), "uploadId": upload_id}
        return self._sign("PUT", key, seconds, bound(size, sha256), query)

    def parts(self, key: str, upload_id: str) -> Sequence[StoredPart]:
        with translated(key):
            pages = self._xml.pages(key, {"uploadId": upload_id}, {"part-number-marker": "NextPartNumberMarker"})
            found = [part for page in pages for part in page.iterfind("{*}Part")]
        stored = (
            StoredPart(int(text(part, "PartNumber")), int(text(part, "Size")), text(part, "ETag")) for part in found
        )
        return sorted(stored, key=lambda part: part.number)

    def complete(self, key: str, upload_id: str, parts: Sequence[StoredPart]) -> StoredObject:
        ordered = sorted(parts, key=lambda part: part.number)
        body = completion([(part.number, part.etag) for part in ordered])
        with translated(key):
            answer = self._xml.call("POST", key, {"uploadId": upload_id}, body=body)
            read_document(answer)
        stored, made = self._stat(key), answer.headers.get("x-goog-generation")
        if stored.size != sum(part.size for part in ordered) or made not in (None, stored.etag):
            raise Conflict(f"{key} in storage is not what its parts make.", code="PARTS_CHANGED")
        return stored

    def abort(self, key: str, upload_id: str) -> None:
        try:
            with translated(key):
                self._xml.call("DELETE", key, {"uploadId": upload_id})
        except NotFound:
            return

    def clear(self, prefix: str) -> None:
        for key, upload_id in self.uploads(prefix):
            if is_meant(prefix, key):
                self.abort(key, upload_id)

    def uploads(self, prefix: str) -> Sequence[tuple[str, str]]:
        """Key and id of every unfinished upload whose key begins with `prefix`."""
        markers = {"key-marker": "NextKeyMarker", "upload-id-marker": "NextUploadIdMarker"}
        with translated(prefix):
            pages = self._xml.pages("", {"uploads": "", "prefix": prefix}, markers)
            return [(text(one, "Key"), text(one, "UploadId")) for page in pages for one in page.iterfind("{*}Upload")]
