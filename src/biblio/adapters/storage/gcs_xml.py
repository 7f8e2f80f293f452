"""Google's XML API, for uploads in parts: its JSON API has none.

The calls and documents are those of "XML API multipart uploads" in Google's documentation, which S3's are the model of.
"""

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, urlencode
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from google.api_core.exceptions import from_http_status
from requests import Response

from biblio.adapters.storage.gcs_client import GcsSession

NO_CONTENT = 204


class XmlApi:
    """Calls about one bucket. Raises the errors of Google's libraries."""

    def __init__(self, bucket: str, endpoint: str, session: Callable[[], GcsSession]) -> None:
        self._place = f"{endpoint}/{bucket}"
        self._session = session

    def call(
        self,
        method: str,
        key: str,
        query: Mapping[str, str | int],
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        path = "/" + quote(key, safe="/~") if key else ""
        answer = self._session().request(
            method, f"{self._place}{path}?{urlencode(query)}", data=body, headers=dict(headers or {})
        )
        refuse(answer)
        return answer

    def document(self, method: str, key: str, query: Mapping[str, str | int], *, body: bytes = b"") -> Element:
        answer = self.call(method, key, query, body=body)
        return read_document(answer)

    def pages(self, key: str, query: Mapping[str, str | int], markers: Mapping[str, str]) -> Iterator[Element]:
        """Every page of a listing. `markers`: parameter → element of the page before."""
        after: dict[str, str] = {}
        while True:
            page = self.document("GET", key, {**query, **after})
            yield page
            if text(page, "IsTruncated") != "true":
                return
            after = {parameter: text(page, element) for parameter, element in markers.items()}


def refuse(answer: Response) -> None:
    """Raises what the library would raise for this answer, unless it is a good one."""
    if answer.status_code >= 300:
        _ = answer.content  # read where it may break off: whoever looks for the reason in it is no longer guarded
        raise from_http_status(answer.status_code, answer.reason or "refused", response=answer)


def read_document(answer: Response) -> Element:
    """An error that is found late comes in the body of an answer that began with 200."""
    document = ElementTree.fromstring(answer.content)
    if document.tag == "Error":
        raise from_http_status(400, "refused", response=answer)
    return document


def text(element: Element, name: str) -> str:
    return element.findtext(f"{{*}}{name}") or ""


def completion(parts: list[tuple[int, str]]) -> bytes:
    """What completes an upload: each part's number and etag."""
    document = Element("CompleteMultipartUpload")
    for number, etag in parts:
        part = SubElement(document, "Part")
        SubElement(part, "PartNumber").text = str(number)
        SubElement(part, "ETag").text = etag
    return ElementTree.tostring(document)
