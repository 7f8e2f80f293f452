"""A fault at every single write of a first index, of another one beside it, and of a delete, one by one.

Whatever fails, and whether it was done before it failed: readers see the old or the new, never both and never half of
one; afterwards all of it is done, and nothing lies about.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain, groupby, product

import pytest

from biblio.domain.flow import Queue, Status
from biblio.domain.search import Mode, Scope
from biblio.domain.video import Options, Video
from biblio.errors import BiblioError, NotFound
from biblio.pipeline.delete import request_deletion
from biblio.pipeline.reprocess import reprocess
from biblio.pipeline.search import search
from biblio.pipeline.services import Services
from tests.chaos.faulty import Died, Fate, away
from tests.pipeline.road import Road, open_road

NOTHING, GONE = "nothing", "gone"
MOST_WRITES = 60
"""Of one act; there are about a dozen."""


@pytest.fixture(scope="module")
def road(own_addresses: Mapping[str, str]) -> Iterator[Road]:
    with open_road(own_addresses) as road:
        yield road


def seen(road: Road, video: Video) -> str:
    """The language that readers see the whole of a video in, in every way there is to look at it."""
    scope = Scope(only=(video.id,))
    answers = [search(road.services, video.user_id, "벡터 vector", mode=mode, scope=scope).found for mode in Mode]
    assert len({bool(found) for found in answers}) == 1, "by words, by meaning, and by both"
    moments = [moment.text for found in answers for one in found for moment in one.moments]
    vectors = road.services.vectors.ids(video.user_id, video.id)
    with road.services.catalog.transaction() as tx:
        try:
            tx.videos.get(video.id, user_id=video.user_id)
        except NotFound:
            assert not moments
            return GONE
        rows = tx.passages.ids(video.id)
        hits = tx.finder.by_ids(video.user_id, list({*chain(*rows.values()), *chain(*vectors.values())}))
        script, sentences = tx.videos.transcript(video.id)
    shown = [generation for generation, ids in rows.items() if hits.keys() & set(ids)]
    assert [set(rows[one]) for one in shown] == ([set(hits)] if hits else []), "one generation, and all of it"
    assert all(set(vectors.get(one, ())) == set(rows[one]) for one in shown), "and it is found by its meaning"
    assert bool(hits) == bool(moments) == bool(script) == bool(sentences)
    said = [hit.passage.text for hit in hits.values()]
    languages = {language(text) for text in (script, *moments, *said)} if hits else set()
    assert len(languages) <= 1
    return languages.pop() if languages else NOTHING


def language(text: str) -> str:
    return "ko" if any("가" <= letter <= "힣" for letter in text) else "en"


@dataclass
class Act:
    """Something that is done to a video, after which readers see `after` instead of `before`."""

    road: Road
    video: Video
    before: str
    after: str
    ask: Callable[[Services], None] = lambda _services: None
    views: list[str] = field(default_factory=list)

    def strike(self, fate: Fate) -> None:
        """Do it until the fault has struck, then go on with engines that are well again."""
        fate.watch = self._watch
        watched = replace(self.road, services=fate.services(self.road.services))
        with suppress(BiblioError, Died):
            self.ask(watched.services)
            while not fate.has_struck and watched.work(Queue.INDEX):
                pass
        well = Fate(watch=self._watch).services(self.road.services)
        with suppress(NotFound):  # whoever got no answer asks again
            self.ask(well)
        replace(self.road, services=well).finish()
        self._watch()

    def _watch(self) -> None:
        self.views.append(seen(self.road, self.video))

    def check(self, name: str) -> None:
        order = [view for view, _ in groupby(self.views)]
        assert order in ([self.before, self.after], [self.after]), name
        assert self.road.drift(self.video) == [], name
        assert self.road.open_jobs() == [], name


def first_index(road: Road, video: Video) -> Act:
    return Act(road, video, NOTHING, "ko")


def another_index(road: Road, video: Video) -> Act:
    """Beside the first one."""
    reprocess(road.services, video.user_id, video.id, options=Options("en"))
    road.walk(video, Status.INDEXING)
    return Act(road, video, "ko", "en")


def deletion(road: Road, video: Video) -> Act:
    return Act(road, video, "en", GONE, lambda services: request_deletion(services, video.user_id, video.id))


ACTS = (first_index, another_index, deletion)


@pytest.mark.timeout(1800)
def test_every_write(road: Road, request: pytest.FixtureRequest) -> None:
    every = request.config.getoption("--every-fault")
    for before, error in product((True, False), (away, Died)) if every else ((True, Died), (False, away)):
        strike_every_write(road, before, error)


def strike_every_write(road: Road, before: bool, error: Callable[[], BaseException]) -> None:
    struck: dict[str, list[str]] = {act.__name__: [] for act in ACTS}
    for at in range(1, MOST_WRITES):
        video = road.at(Status.INDEXING, road.new_user())
        fates = {act.__name__: Fate(at, before, error) for act in ACTS}
        for act in ACTS:
            fate = fates[act.__name__]
            if act is deletion:
                stored, vectors = road.objects(video), road.generations(video)[1]
            one = act(road, video)
            one.strike(fate)
            one.check(f"{act.__name__}, write {at} of {fate.writes}")
            if act is not deletion:
                check_generation(road, video)
        check_receipt(road, video, stored, vectors)
        for name, fate in fates.items():
            struck[name] += fate.writes[at - 1 : at]
        if not any(fate.has_struck for fate in fates.values()):
            break
    else:
        raise AssertionError("there is no end of writes")
    for name, kinds in struck.items():
        print(f"\n{name}: {len(kinds)} writes struck, {', '.join(kinds)}")
        assert len(kinds) >= 8, name


def check_generation(road: Road, video: Video) -> None:
    """Exactly one is left, and it is complete."""
    now = road.now(video)
    assert (now.status, now.indexed_generation) == (Status.COMPLETED, now.generation)
    assert road.generations(video) == ({now.generation}, {now.generation})


def check_receipt(road: Road, video: Video, stored: set[str], vectors: set[int]) -> None:
    with road.services.catalog.transaction() as tx:
        receipt = tx.holdings.receipt(video.id)
    assert receipt is not None
    assert set(receipt.removed["objects"]) == stored
    assert {int(one) for one in receipt.removed["vectors"]} == vectors
    assert receipt.removed["rows"]["videos"] == 1
    assert road.objects(video) == set()
    assert road.generations(video) == (set(), set())
