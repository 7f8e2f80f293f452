"""Bodies that storage really sent, and bodies nobody should send."""

import json
from typing import Any

import pytest

from biblio.domain.storage_event import arrivals
from biblio.errors import InvalidInput

BUCKET = "biblio-video-store"
FOLDER = "videos/550e8400-e29b-41d4-a716-446655440000"

# Amazon S3, as its documentation gives it.
S3 = {
    "Records": [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-west-2",
            "eventTime": "1970-01-01T00:00:00.000Z",
            "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRj"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "testConfigRule",
                "bucket": {
                    "name": BUCKET,
                    "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                    "arn": f"arn:aws:s3:::{BUCKET}",
                },
                "object": {
                    "key": f"{FOLDER}/original.mp4",
                    "size": 1024,
                    "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                    "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
                    "sequencer": "0055AED6DCD90281E5",
                },
            },
        }
    ]
}

# MinIO, as its source builds it and its users have recorded it; not run here.
MINIO = r"""
{"EventName":"s3:ObjectCreated:CompleteMultipartUpload",
"Key":"biblio-video-store/videos/550e8400-e29b-41d4-a716-446655440000/original.mp4","Records":[{"eventVersion":"2.0",
"eventSource":"minio:s3","awsRegion":"","eventTime":"2024-01-05T11:26:33.408Z",
"eventName":"s3:ObjectCreated:CompleteMultipartUpload","userIdentity":{"principalId":"minioadmin"},
"requestParameters":{"principalId":"minioadmin","region":"","sourceIPAddress":"127.0.0.1"},
"responseElements":{"x-amz-request-id":"17A76FE05CEBA939","x-minio-origin-endpoint":"http://127.0.0.1:9000"},
"s3":{"s3SchemaVersion":"1.0","configurationId":"Config","bucket":{"name":"biblio-video-store",
"ownerIdentity":{"principalId":"minioadmin"},"arn":"arn:aws:s3:::biblio-video-store"},
"object":{"key":"videos%2F550e8400-e29b-41d4-a716-446655440000%2Foriginal.mp4","size":210,
"eTag":"775ff5def9531772a2bb12853cd46fce-2","contentType":"video/mp4","userMetadata":{"content-type":"video/mp4"},
"sequencer":"17A76FE05CF3469B"}},"source":{"host":"127.0.0.1","port":"","userAgent":"MinIO (linux; amd64)"}}]}
"""

# What SeaweedFS 4.48 posted, first for a PUT.
PUT = r"""
{"event_type":"create","key":"/buckets/biblio-video-store/videos/550e8400-e29b-41d4-a716-446655440000/original.mp4",
"message":{"new_entry":{"name":"original.mp4","chunks":[{"size":5,"modified_ts_ns":1795438775776606179,
"e_tag":"XUFAKrxLKna5cZ2REBfFkg==","fid":{"volume_id":8,"file_key":2,"cookie":132274680}}],
"attributes":{"file_size":5,"mtime":1795438775,"file_mode":432,"crtime":1795438775,"mime":"video/mp4",
"md5":"XUFAKrxLKna5cZ2REBfFkg==","inode":15632526653290858543,"ctime":1795438775,"atime":1795438775},
"extended":{"Seaweed-X-Amz-ETag":"NWQ0MTQwMmFiYzRiMmE3NmI5NzE5ZDkxMTAxN2M1OTI=","Seaweed-X-Amz-Owner":"YmlibGlv"}},
"delete_chunks":true,
"new_parent_path":"/buckets/biblio-video-store/videos/550e8400-e29b-41d4-a716-446655440000","signatures":[-676718734]}}
"""
OVERWRITE = r"""
{"event_type":"update","key":"/buckets/biblio-video-store/videos/550e8400-e29b-41d4-a716-446655440000/original.mp4",
"message":{"old_entry":{"name":"original.mp4","chunks":[{"file_id":"8,0207e259f8","size":5,
"modified_ts_ns":1795438775776606179,"e_tag":"XUFAKrxLKna5cZ2REBfFkg==",
"fid":{"volume_id":8,"file_key":2,"cookie":132274680}}],"attributes":{"file_size":5,"mime":"video/mp4"}},
"new_entry":{"name":"original.mp4","chunks":[{"size":10,"modified_ts_ns":1795438777282511620,
"e_tag":"mqGIVWfoiExZ8DPotErJXQ==","fid":{"volume_id":10,"file_key":3,"cookie":2780074479}}],
"attributes":{"file_size":10,"mime":"text/plain; charset=utf-8"}},"delete_chunks":true,
"new_parent_path":"/buckets/biblio-video-store/videos/550e8400-e29b-41d4-a716-446655440000","signatures":[-676718734]}}
"""
COMPLETE = r"""
{"event_type":"create","key":"/buckets/biblio-video-store/videos/550e8400-e29b-41d4-a716-446655440000/original.mkv",
"message":{"new_entry":{"name":"original.mkv","chunks":[{"size":4194304,"modified_ts_ns":1795438780353499503,
"e_tag":"RJgTYtO6m1usrwF8LynTVQ==","fid":{"volume_id":14,"file_key":4,"cookie":66490542},"is_compressed":true},
{"offset":4194304,"size":1048585,"modified_ts_ns":1795438780339041328,"e_tag":"tWH4cgLQSVnjdYjuBc9bEA==",
"fid":{"volume_id":12,"file_key":5,"cookie":2204782163},"is_compressed":true}],
"attributes":{"file_size":5242889,"mtime":1795438781,"file_mode":504},
"extended":{"Seaweed-X-Amz-ETag":"ZTRlZmZmYzliNzIzOTEwYjkzNzliMmU0ZDlkMTAxZTctMg==",
"X-Seaweedfs-Multipart-Parts-Count":"Mg=="}},"delete_chunks":true,
"new_parent_path":"/buckets/biblio-video-store/videos/550e8400-e29b-41d4-a716-446655440000","signatures":[-676718734]}}
"""
# Not encoded, and with JSON's own escapes.
ODD_NAME = r"""
{"event_type":"create","key":"/buckets/biblio-video-store/videos/강의 1+%2B\u0026\"\u003c.mp4","message":{"new_entry":{
"name":"강의 1+%2B\u0026\"\u003c.mp4","attributes":{"file_size":1}},"delete_chunks":true,
"new_parent_path":"/buckets/biblio-video-store/videos","signatures":[-676718734]}}
"""
DIRECTORY = r"""
{"event_type":"create","key":"/buckets/biblio-video-store/videos/550e8400-e29b-41d4-a716-446655440000",
"message":{"new_entry":{"name":"550e8400-e29b-41d4-a716-446655440000","is_directory":true,
"attributes":{"mtime":1795438775,"file_mode":2147484153}},"new_parent_path":"/buckets/biblio-video-store/videos",
"signatures":[-676718734]}}
"""
NEW_BUCKET = r"""
{"event_type":"create","key":"/buckets/biblio-video-store","message":{"new_entry":{"name":"biblio-video-store",
"is_directory":true,"attributes":{"mtime":1795438774,"file_mode":2147484159}},"delete_chunks":true,
"new_parent_path":"/buckets","signatures":[-676718734]}}
"""
PART = r"""
{"event_type":"create","key":"/buckets/biblio-video-store/.uploads/cf1634878607bf26841fab9ff99649185a4c51b6_53c6a4424b3f/0002_78bcf58c-ea1e-45c9-8538-9bafcfd7dc8c.part",
"message":{"new_entry":{"name":"0002_78bcf58c-ea1e-45c9-8538-9bafcfd7dc8c.part","chunks":[{"size":9}],
"attributes":{"file_size":9,"mtime":1795438780,"file_mode":432}},"delete_chunks":true,
"new_parent_path":"/buckets/biblio-video-store/.uploads/cf1634878607bf26841fab9ff99649185a4c51b6_53c6a4424b3f"}}
"""  # noqa: E501
DELETE = r"""
{"event_type":"delete","key":"/buckets/biblio-video-store/videos/550e8400-e29b-41d4-a716-446655440000/original.mp4",
"message":{"old_entry":{"name":"original.mp4","chunks":[{"file_id":"10,03a5b491ef","size":10,
"modified_ts_ns":1795438777282511620,"e_tag":"mqGIVWfoiExZ8DPotErJXQ=="}],"attributes":{"file_size":10}},
"delete_chunks":true,"signatures":[-676718734]}}
"""


def record(key: str, bucket: str = BUCKET, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    return {"eventName": name, "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (json.dumps(S3), f"{FOLDER}/original.mp4"),
        (MINIO, f"{FOLDER}/original.mp4"),
        (PUT, f"{FOLDER}/original.mp4"),
        (OVERWRITE, f"{FOLDER}/original.mp4"),
        (COMPLETE, f"{FOLDER}/original.mkv"),
        (ODD_NAME, 'videos/강의 1+%2B&"<.mp4'),
    ],
    ids=["S3", "MinIO", "PUT", "overwrite", "multipart", "odd name"],
)
def test_what_arrived_is_named_and_only_to_its_own_bucket(body: str, key: str) -> None:
    assert arrivals(json.loads(body), BUCKET) == [key]
    assert arrivals(json.loads(body), "biblio") == []


@pytest.mark.parametrize("body", [DIRECTORY, NEW_BUCKET, PART, DELETE], ids=["directory", "bucket", "part", "delete"])
def test_seaweedfs_also_tells_of_what_is_no_arrival(body: str) -> None:
    assert arrivals(json.loads(body), BUCKET) == []


def test_s3s_test_event_names_nothing() -> None:
    test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2014-10-13T15:57:02.089Z", "Bucket": BUCKET}
    assert arrivals(test, BUCKET) == []


@pytest.mark.parametrize(
    "name", ["ObjectRemoved:Delete", "s3:ObjectAccessed:Get", "ObjectTagging:Put", "ReducedRedundancyLostObject", ""]
)
def test_s3s_other_events_name_nothing(name: str) -> None:
    assert arrivals({"Records": [record("a", name=name)]}, BUCKET) == []


@pytest.mark.parametrize("name", ["Put", "Post", "Copy", "CompleteMultipartUpload"])
def test_every_way_to_create_counts(name: str) -> None:
    assert arrivals({"Records": [record("a", name=f"ObjectCreated:{name}")]}, BUCKET) == ["a"]


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("red+flower.jpg", "red flower.jpg"),
        ("a%2Bb%2Fc", "a+b/c"),
        ("%EA%B0%95%EC%9D%98", "강의"),
        ("100%", "100%"),
        ("%zz%ff", "%zz\ufffd"),
        ("\ud800", "\ud800"),
    ],
)
def test_s3s_keys_are_encoded_like_a_form(encoded: str, key: str) -> None:
    assert arrivals({"Records": [record(encoded)]}, BUCKET) == [key]


def test_a_key_named_twice_is_given_once_and_the_order_stays() -> None:
    assert arrivals({"Records": [record("b"), record("a"), record("b"), record("x", "other")]}, BUCKET) == ["b", "a"]


def test_a_thousand_at_once_are_taken_and_no_more() -> None:
    many = [record(str(number)) for number in range(1001)]
    assert len(arrivals({"Records": many[:1000]}, BUCKET)) == 1000
    with pytest.raises(InvalidInput) as caught:
        arrivals({"Records": many}, BUCKET)
    assert caught.value.code == "INVALID_EVENT"


DEEP: Any = []
for _ in range(100_000):
    DEEP = [DEEP]

SHAPES: list[Any] = [None, True, 0, 1.5, "", "Records", [], {}, DEEP, {"Records": DEEP}, {"": {}}]


@pytest.mark.parametrize(
    "body",
    [
        *SHAPES,
        [S3],
        {"Event": "s3:OtherEvent"},
        {"Records": None},
        {"Records": {"0": record("a")}},
        *({"Records": [wrong]} for wrong in SHAPES),
        {"Records": [record("a"), {"eventName": "ObjectCreated:Put"}]},
        {"Records": [{**record("a"), "eventName": 7}]},
        {"Records": [{**record("a"), "s3": DEEP}]},
        {"Records": [{**record("a"), "s3": {"bucket": BUCKET, "object": {"key": "a"}}}]},
        {"Records": [{**record("a"), "s3": {"bucket": {"name": BUCKET}, "object": {"key": ["a"]}}}]},
        {"event_type": "create", "key": f"/buckets/{BUCKET}/a"},
        {"event_type": "create", "key": f"/buckets/{BUCKET}/a", "message": {"new_entry": "a"}},
        {"event_type": "create", "key": f"/buckets/{BUCKET}/a", "message": {"new_entry": DEEP}},
        {"event_type": ["create"], "key": f"/buckets/{BUCKET}/a"},
        {"event_type": "create", "key": 7},
        {"event_type": "create"},
        {"key": "/buckets/a/b"},
    ],
    ids=lambda body: None,
)
def test_any_other_shape_is_refused(body: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        arrivals(body, BUCKET)
    assert caught.value.code == "INVALID_EVENT"
    assert len(caught.value.message) < 100


def test_amazons_eventbridge_names_the_key_as_it_is() -> None:
    """As Amazon's user guide shows it; not seen here."""
    detail = {"version": "0", "bucket": {"name": BUCKET}, "object": {"key": "videos/a b+c/original.mp4", "size": 5}}
    event = {"version": "0", "source": "aws.s3", "detail-type": "Object Created", "detail": detail}
    assert arrivals(event, BUCKET) == ["videos/a b+c/original.mp4"]
    assert arrivals(event, "another") == []
    assert arrivals({**event, "detail-type": "Object Deleted"}, BUCKET) == []
    with pytest.raises(InvalidInput):
        arrivals({**event, "detail": None}, BUCKET)


def test_google_tells_through_pubsub_and_names_the_key_as_it_is() -> None:
    """As Google's documentation of notifications and of push subscriptions shows it; not seen here."""
    about = {
        "bucketId": BUCKET,
        "objectId": "videos/a b+c/original.mp4",
        "eventType": "OBJECT_FINALIZE",
        "objectGeneration": "1700000000000000",
        "notificationConfig": f"projects/_/buckets/{BUCKET}/notificationConfigs/1",
        "payloadFormat": "NONE",
    }
    message = {"attributes": about, "messageId": "1", "publishTime": "2026-11-30T00:00:00Z"}
    event: dict[str, Any] = {"message": message, "subscription": "projects/lectures/subscriptions/biblio"}
    assert arrivals(event, BUCKET) == ["videos/a b+c/original.mp4"]
    assert arrivals(event, "another") == []
    for kind in ("OBJECT_DELETE", "OBJECT_ARCHIVE", "OBJECT_METADATA_UPDATE"):
        assert arrivals({**event, "message": {"attributes": {**about, "eventType": kind}}}, BUCKET) == []
    messages: list[Any] = [None, {}, {"attributes": []}, {"attributes": {**about, "objectId": 7}}]
    for wrong in messages:
        with pytest.raises(InvalidInput):
            arrivals({**event, "message": wrong}, BUCKET)
