"""What object storage says when something was created in it.

    S3, MinIO    {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name"}, "object": {"key"}}}]}
                 (MinIO's names begin with "s3:"; the key is URL-encoded as in a form, "a b" being "a+b")
    S3, once     {"Service": "Amazon S3", "Event": "s3:TestEvent"}, when the notification is set up
    EventBridge  {"detail-type": "Object Created", "detail": {"bucket": {"name"}, "object": {"key"}}}, the key as it is
    Google       {"subscription", "message": {"attributes": {"eventType": "OBJECT_FINALIZE", "bucketId", "objectId"}}},
                 pushed by Pub/Sub, the key as it is
    SeaweedFS    {"event_type": "create", "key": "/buckets/{bucket}/{key}", "message": {"new_entry": {…}}}

Each comes at least once or at most once, late and in any order: it only says where to look.
"""

from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import unquote_plus

from biblio.errors import InvalidInput

MOST = 1000
"""Objects in one event; S3 and MinIO name one."""
PARTS = ".uploads/"
"""Below it in a bucket, SeaweedFS keeps the parts of uploads that are not complete."""

T = TypeVar("T")


def arrivals(body: object, bucket: str) -> list[str]:
    """Keys of the objects created in `bucket`, each once. Raises `InvalidInput` (INVALID_EVENT) for another shape."""
    event = _of(dict, body)
    if "Records" in event:
        return list(dict.fromkeys(_of_records(_of(list, event["Records"]), bucket)))
    if event.get("Event") == "s3:TestEvent":
        return []
    if "detail-type" in event:
        return list(_of_eventbridge(event, bucket))
    if "subscription" in event:
        return list(_of_pubsub(event, bucket))
    return list(_of_seaweedfs(event, bucket))


def _of_records(records: list[Any], bucket: str) -> Iterator[str]:
    if len(records) > MOST:
        raise _wrong(f"more than {MOST} records")
    for record in records:
        event = _in(str, record, "eventName").removeprefix("s3:")
        place = _in(dict, record, "s3")
        if event.startswith("ObjectCreated:") and _in(str, _in(dict, place, "bucket"), "name") == bucket:
            yield unquote_plus(_in(str, _in(dict, place, "object"), "key"))


def _of_eventbridge(event: dict[str, Any], bucket: str) -> Iterator[str]:
    detail = _in(dict, event, "detail")
    if event["detail-type"] == "Object Created" and _in(str, _in(dict, detail, "bucket"), "name") == bucket:
        yield _in(str, _in(dict, detail, "object"), "key")


def _of_pubsub(event: dict[str, Any], bucket: str) -> Iterator[str]:
    about = _in(dict, _in(dict, event, "message"), "attributes")
    if _in(str, about, "eventType") == "OBJECT_FINALIZE" and _in(str, about, "bucketId") == bucket:
        yield _in(str, about, "objectId")


def _of_seaweedfs(event: dict[str, Any], bucket: str) -> Iterator[str]:
    folder, path = f"/buckets/{bucket}/", _in(str, event, "key")
    # An object that replaces another is an update.
    if _in(str, event, "event_type") not in ("create", "update") or not path.startswith(folder):
        return
    key, entry = path.removeprefix(folder), _in(dict, _in(dict, event, "message"), "new_entry")
    if key and not entry.get("is_directory") and not key.startswith(PARTS):
        yield key


def _in(kind: type[T], record: object, name: str) -> T:
    return _of(kind, _of(dict, record).get(name), name)


def _of(kind: type[T], value: object, name: str = "the event") -> T:
    if not isinstance(value, kind):
        raise _wrong(f"{name} is no {kind.__name__}")
    return value


def _wrong(how: str) -> InvalidInput:
    return InvalidInput(f"This is no event of a known storage: {how}.", code="INVALID_EVENT")
