"""What others publish: the specification's message in `ingestion`, and things no worker understands."""

import json
import time
import uuid
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pika
import pytest
from kombu import Connection, Producer
from redis import Redis

from biblio.adapters.queue.celery_app import other_queues
from biblio.dsn import Dsn
from tests.chaos.acting import Act
from tests.chaos.brokers import Broker, Scene, eventually, new_broker, scene
from tests.chaos.place import Place

CELERYS = {"task": "biblio.extract", "id": str(uuid.uuid4())}
STRAYS: list[tuple[bytes, dict[str, Any], str]] = [
    (b"hello", {}, "text/plain"),
    (b"{", {}, "application/json"),
    (b"{}", CELERYS, "application/json"),
    (b"[]", CELERYS, "application/json"),
    (b'[[], {"payload": 1}, {}]', CELERYS, "application/json"),
    (b"\x80\x04K\x01.", CELERYS, "application/x-python-serialize"),
    (b"[[], {}, {}]", {"task": "os.system", "id": "1"}, "application/json"),
    (b"[[], {}, {}]", {"task": ["unhashable"], "id": 1}, "application/json"),
    (b"[[], {}, {}]", {"task": "biblio.extract"}, "application/json"),
    (b"x", {**CELERYS, "compression": "nothing-known"}, "application/json"),
    (b"[" * 50_000, CELERYS, "application/json"),
]


@pytest.fixture(scope="module", params=["valkey", "rabbitmq"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with new_broker(request.param, tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture
def here(place: Place, broker: Broker, tmp_path: Path) -> Iterator[Scene]:
    with scene(place, broker.address, tmp_path) as here:
        yield here


def dead(broker: Broker) -> int:
    """How many messages lie in the dead-letter queue."""
    with Connection(broker.address) as connection:
        queue, _ = other_queues(Dsn.parse(broker.address))
        declared: Any = queue.bind(connection.default_channel).queue_declare()
        return int(declared.message_count)


def stored(here: Scene, act: Act) -> dict[str, Any]:
    """A film that lies in the bucket, which no upload announced; the specification's message about it."""
    video_id = str(uuid.uuid4())
    key = f"videos/{video_id}/original.mp4"
    here.services.storage.write(key, BytesIO(act.film()), content_type="video/mp4")
    payload = {"video_id": video_id, "user_id": here.place.user_id, "bucket": here.place.bucket, "key": key}
    return {"task_type": "ingestion", "payload": {**payload, "options": {"language": "ko"}}}


def publish(broker: Broker, queue: str, body: bytes, headers: dict[str, Any], content_type: str) -> None:
    with Connection(broker.address) as connection:
        Producer(connection).publish(
            body, routing_key=queue, headers=headers, content_type=content_type, content_encoding="utf-8"
        )


def test_strays_are_laid_aside_and_the_worker_goes_on(here: Scene, broker: Broker) -> None:
    with here.worker() as worker:
        before = dead(broker)
        for body, headers, content_type in STRAYS:
            publish(broker, "biblio.media", body, headers, content_type)
        here.wait([here.announce(Act("good"))])
        eventually(lambda: dead(broker) == before + len(STRAYS), 10)
        assert worker.process.poll() is None
        assert "Traceback" not in worker.log


@pytest.mark.parametrize("broker", ["valkey"], indirect=True)  # AMQP knows messages only
def test_an_entry_that_is_no_message_at_all_is_laid_aside(here: Scene, broker: Broker) -> None:
    dsn = Dsn.parse(broker.address)
    with here.worker() as worker, Redis(dsn.host, dsn.port or 6379, password=dsn.password) as server:
        before = server.llen("biblio.dead")
        strays = [b"hello", b"{", b"null", b"{}", b'{"properties": {"delivery_tag": 1}}', b"\xff\xfe"]
        for queue in ("biblio.media", "ingestion"):
            server.lpush(queue, *strays)
        eventually(lambda: server.llen("biblio.dead") == before + 2 * len(strays), 20)
        here.wait([here.announce(Act("good after strays"))])
        assert worker.process.poll() is None
        assert "Traceback" not in worker.log


class TestIngestion:
    def test_a_plain_program_asks_for_work(self, here: Scene, broker: Broker) -> None:
        """With pika, which knows nothing of Celery; on Valkey, with kombu."""
        with here.worker():
            message = stored(here, Act("announced"))
            for _ in range(3):
                ask(broker, json.dumps(message).encode())
            video_id = message["payload"]["video_id"]
            here.wait([video_id])
            time.sleep(2)
            assert len(here.stage.read("begins", "announced")) == 1
            assert here.place.video(video_id).options.language == "ko"

    def test_what_makes_no_sense_is_laid_aside_with_the_reason(self, here: Scene, broker: Broker) -> None:
        with here.worker() as worker:
            before = dead(broker)
            good, other = stored(here, Act("sense")), stored(here, Act("nonsense"))
            nonsense: list[bytes] = [
                b"",
                b"no json",
                json.dumps({**other, "task_type": "deletion"}).encode(),
                json.dumps({**other, "payload": {**other["payload"], "bucket": "another"}}).encode(),
                json.dumps({**other, "payload": {**other["payload"], "key": "videos/nowhere.mp4"}}).encode(),
                json.dumps({**other, "payload": {**other["payload"], "key": good["payload"]["key"]}}).encode(),
                json.dumps({**other, "payload": {**other["payload"], "user_id": "nobody"}}).encode(),
            ]
            for body in nonsense:
                ask(broker, body)
            ask(broker, json.dumps(good).encode())
            here.wait([good["payload"]["video_id"]])
            eventually(lambda: dead(broker) == before + len(nonsense), 10)
            assert here.stage.read("begins", "nonsense") == []
            assert "Traceback" not in worker.log

    def test_what_came_while_no_worker_lived_is_taken_up(self, here: Scene, broker: Broker) -> None:
        here.services.queue.prepare()
        message = stored(here, Act("early"))
        ask(broker, json.dumps(message).encode())
        with here.worker():
            here.wait([message["payload"]["video_id"]])


def ask(broker: Broker, body: bytes) -> None:
    if broker.address.startswith("redis"):
        publish(broker, "ingestion", body, {}, "application/json")
        return
    connection = pika.BlockingConnection(pika.URLParameters(broker.address.removesuffix("//") + "/%2F"))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish("", "ingestion", body, mandatory=True)
    connection.close()
