"""A library to look at: one real film with a script for its words, and lectures that only have words."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from biblio.domain.flow import Queue
from biblio.local.sample import TALK
from biblio.pipeline.lease import Worker
from biblio.pipeline.runner import work
from tests.api.conftest import Api, running_api

SAID = (
    "안녕하세요, 오늘은 데이터베이스를 배웁니다.",
    "트랜잭션은 전부 되거나 전부 안 되거나 둘 중 하나입니다.",
    "그래서 돈을 보내다가 멈춰도 돈이 사라지지 않습니다.",
    "색인은 책 뒤의 찾아보기와 같습니다.",
    "찾는 말이 어디에 있는지 미리 적어 둡니다.",
    "격리 수준은 다른 트랜잭션이 무엇을 볼 수 있는지 정합니다.",
)
EVERY = 12.0
"""Seconds from one sentence to the next. Each takes less than two: longer ones are cut at their clauses."""


@dataclass(frozen=True)
class Shelf:
    api: Api
    video_id: str


@contextmanager
def running_shelf(addresses: Mapping[str, str], folder: Path, said: tuple[str, ...] = SAID) -> Iterator[Shelf]:
    script = folder / "script.json"
    sentences = [[EVERY * place, EVERY * place + 1.9, text] for place, text in enumerate(said)]
    script.write_text(json.dumps({"language": "ko", "sentences": sentences}), encoding="utf-8")
    with running_api(addresses, REQUEST_RATE="100000", SPEECH=f"scripted://?path={script}") as api:
        api.services.vectors.prepare()
        yield Shelf(api, add_film(api, TALK, "데이터베이스 첫 시간"))


def add_film(api: Api, film: Path, title: str) -> str:
    """Upload a film and process it, here and now. Gives its id."""
    content = film.read_bytes()
    wish = {"file_name": f"강의{film.suffix}", "file_size": len(content), "title": title}
    begun = api.http.post("/api/videos", json=wish).raise_for_status().json()
    httpx.put(begun["upload"]["url"], content=content, headers=begun["upload"]["headers"]).raise_for_status()
    api.http.post(f"/api/videos/{begun['video_id']}/upload-complete").raise_for_status()
    work_off(api)
    return str(begun["video_id"])


def work_off(api: Api) -> None:
    while any(work(api.services, queue, Worker("browser")) for queue in Queue):
        pass
