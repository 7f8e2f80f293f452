"""Whoever reads while an index is switched sees the old one or the new one, never both, and never nothing."""

import threading

from biblio.domain.flow import Status
from biblio.domain.search import Scope
from biblio.domain.video import Options, Video
from biblio.pipeline.reprocess import reprocess
from biblio.pipeline.search import search
from tests.pipeline.road import Road

SWITCHES = 4


def is_korean(text: str) -> bool:
    return any("가" <= letter <= "힣" for letter in text)


def look(road: Road, video: Video) -> str:
    """What is wrong with what is seen; '' when nothing is."""
    with road.services.catalog.transaction(snapshot=True) as tx:
        script, sentences = tx.videos.transcript(video.id)
    if " ".join(sentence.text for sentence in sentences) != script or not script:
        return f"the script {script!r} has the sentences {sentences}"
    answer = search(road.services, video.user_id, "벡터 vector", scope=Scope(only=(video.id,)))
    moments = [moment.text for one in answer.found for moment in one.moments]
    if len({is_korean(text) for text in moments}) != 1:
        return f"found were {moments}"
    return ""


def test_while_an_index_is_switched(road: Road, user: str) -> None:
    video = road.at(Status.COMPLETED, user)
    over, wrong, looks = threading.Event(), list[str](), [0]

    def read() -> None:
        while not over.is_set():
            if seen := look(road, video):
                wrong.append(seen)
            looks[0] += 1

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(SWITCHES):
            reprocess(road.services, user, video.id, options=Options("ko" if number % 2 else "en"))
            road.walk(video)
            road.finish()
    finally:
        over.set()
        reader.join()
    assert wrong == []
    assert looks[0] >= SWITCHES
