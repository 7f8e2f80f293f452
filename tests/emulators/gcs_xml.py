"""The XML API of the emulated Google Cloud Storage: signed addresses, uploads in parts, rules for browsers."""

import hashlib
import re
import secrets
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from tests.emulators.gcs_json import JsonApi
from tests.emulators.gcs_store import Bucket, Refusal, Upload, etag_of

PAGE = 1000
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class XmlApi(JsonApi):
    """Each method answers one call. The bucket's lock is held."""

    def put_object(self, bucket: Bucket, key: str) -> None:
        self._check_body()
        bucket.require_generation(key, self.headers.get("x-goog-if-generation-match"))
        held = bucket.put(key, self.body, self.headers.get("Content-Type", ""))
        self.send(200, b"", "text/html", {"ETag": held.etag, "x-goog-generation": str(held.generation)})

    def get_object(self, bucket: Bucket, key: str) -> None:
        """What was stored says of which type it is, whatever the address asks for."""
        shown = self.asked.get("response-content-disposition")
        self.send_object(bucket.find(key), {"Content-Disposition": shown} if shown else {})

    def begin(self, bucket: Bucket, key: str) -> None:
        upload_id = secrets.token_urlsafe(24)
        bucket.uploads[upload_id] = Upload(key, self.headers.get("Content-Type", ""))
        self._document("InitiateMultipartUploadResult", Bucket=bucket.name, Key=key, UploadId=upload_id)

    def put_part(self, bucket: Bucket, key: str) -> None:
        upload = bucket.upload(key, self.asked["uploadId"])
        self._check_body()
        upload.parts[int(self.asked["partNumber"])] = self.body
        self.send(200, b"", "text/html", {"ETag": str(etag_of(self.body))})

    def list_parts(self, bucket: Bucket, key: str) -> None:
        upload, after = bucket.upload(key, self.asked["uploadId"]), int(self.asked.get("part-number-marker", 0))
        later = sorted(number for number in upload.parts if number > after)
        root = Element("ListPartsResult")
        for number in later[:PAGE]:
            content = upload.parts[number]
            _add(SubElement(root, "Part"), PartNumber=number, ETag=etag_of(content), Size=len(content))
        self._page(root, len(later), NextPartNumberMarker=later[PAGE - 1] if len(later) > PAGE else 0)

    def complete(self, bucket: Bucket, key: str) -> None:
        parts = ElementTree.fromstring(self.body).iterfind("{*}Part")
        listed = [(int(part.findtext("{*}PartNumber") or 0), part.findtext("{*}ETag") or "") for part in parts]
        held = bucket.complete(key, self.asked["uploadId"], listed)
        self._document("CompleteMultipartUploadResult", {"x-goog-generation": str(held.generation)}, ETag=held.etag)

    def abort(self, bucket: Bucket, key: str) -> None:
        bucket.upload(key, self.asked["uploadId"])
        del bucket.uploads[self.asked["uploadId"]]
        self.send(204, b"", "text/html")

    def list_uploads(self, bucket: Bucket) -> None:
        prefix = self.asked.get("prefix", "")
        after = (self.asked.get("key-marker", ""), self.asked.get("upload-id-marker", ""))
        found = sorted((one.key, number) for number, one in bucket.uploads.items() if one.key.startswith(prefix))
        later = [one for one in found if one > after]
        root = Element("ListMultipartUploadsResult")
        for key, upload_id in later[:PAGE]:
            _add(SubElement(root, "Upload"), Key=key, UploadId=upload_id)
        last = later[PAGE - 1] if len(later) > PAGE else ("", "")
        self._page(root, len(later), NextKeyMarker=last[0], NextUploadIdMarker=last[1])

    def preflight(self, bucket: Bucket) -> None:
        wanted = self.headers.get("Access-Control-Request-Headers", "").lower()
        allowed = self.allowed(bucket, self.headers["Access-Control-Request-Method"])
        listed = allowed.get("Access-Control-Expose-Headers", "").lower().split(", ")
        if all(name.strip() in listed for name in wanted.split(",") if name.strip()):
            allowed["Access-Control-Allow-Headers"] = ", ".join(listed)
            self.send(200, b"", "text/html", allowed)
        else:
            self.send(200, b"", "text/html")

    def allowed(self, bucket: Bucket, method: str) -> dict[str, str]:
        """Headers that let the page at `Origin` in."""
        origin = self.headers.get("Origin", "")
        for rule in bucket.about.get("cors", []):
            if method in rule["method"] and any(one in (origin, "*") for one in rule["origin"]):
                exposed = {"Access-Control-Expose-Headers": ", ".join(rule.get("responseHeader", []))}
                methods = {"Access-Control-Allow-Methods": ", ".join(rule["method"])}
                return {"Access-Control-Allow-Origin": origin, **exposed, **methods}
        return {}

    def _check_body(self) -> None:
        limits = re.fullmatch(r"(\d+),(\d+)", self.headers.get("x-goog-content-length-range", ""))
        if limits and len(self.body) < int(limits[1]):
            raise Refusal(400, "EntityTooSmall")
        if limits and len(self.body) > int(limits[2]):
            raise Refusal(400, "EntityTooLarge")
        announced = self.headers.get("x-goog-content-sha256")
        if announced not in (None, "UNSIGNED-PAYLOAD", hashlib.sha256(self.body).hexdigest()):
            raise Refusal(400, "XGoogContentSHA256Mismatch")

    def _page(self, root: Element, found: int, **markers: object) -> None:
        _add(root, IsTruncated="true" if found > PAGE else "false", **(markers if found > PAGE else {}))
        self._answer_document(root, {})

    def _document(self, name: str, headers: dict[str, str] | None = None, **fields: object) -> None:
        root = Element(name)
        _add(root, **fields)
        self._answer_document(root, headers or {})

    def _answer_document(self, root: Element, headers: dict[str, str]) -> None:
        root.set("xmlns", NAMESPACE)
        self.send(200, ElementTree.tostring(root), "application/xml; charset=UTF-8", headers)


def _add(parent: Element, **fields: object) -> None:
    for name, value in fields.items():
        SubElement(parent, name).text = str(value)
