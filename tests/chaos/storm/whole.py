"""A storm from beginning to end on one broker: start everything, let it blow, wait for calm, stop, and check."""

import os
import random
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from biblio.bootstrap import build, engines
from biblio.pipeline.services import Services
from biblio.settings import read_settings
from tests.chaos.place import close
from tests.chaos.storm.checker import check_all
from tests.chaos.storm.evidence import Evidence, Finding
from tests.chaos.storm.eyes import Eyes
from tests.chaos.storm.faults import Fault, Kind
from tests.chaos.storm.ground import Ground
from tests.chaos.storm.leftovers import broken, lives_on
from tests.chaos.storm.people import People, Story
from tests.chaos.storm.recovery import recoveries
from tests.chaos.storm.storm import Storm, Weather

USERS = 3
DISK = "64m"
SPEECH = "scripted://?longest=10&seconds_per_sentence=0.15&at_once=64&log={log}"
"""A service with a quota, as those are that cost: whoever is to call it asks first whether the work is still theirs."""


@dataclass(frozen=True)
class Outcome:
    """`recovered`: seconds from a death to the next beginning of the work that died, for each of its victims."""

    broker: str
    seed: int
    weather: Weather
    stories: list[Story]
    findings: list[Finding]
    recovered: Mapping[int, list[float]]
    left_out: tuple[Kind, ...]
    folder: Path

    @property
    def is_clean(self) -> bool:
        return not self.findings

    def of_kind(self, kind: Kind) -> list[Fault]:
        return [fault for fault in self.weather.faults if fault.kind is kind]


def run(broker: str, runs: int, seed: int, *, pace: float, seconds: float, say: Callable[[str], None]) -> Outcome:
    """The folder with every log stays where something was found."""
    folder = Path(tempfile.mkdtemp(prefix=f"biblio-storm-{broker}-"))
    folder.chmod(0o755)
    with whole_ground(folder, broker) as (ground, left_out):
        outcome = _run(ground, runs, seed, left_out, (pace, seconds), say)
    if outcome.is_clean:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _run(
    ground: Ground,
    runs: int,
    seed: int,
    left_out: tuple[Kind, ...],
    measure: tuple[float, float],
    say: Callable[[str], None],
) -> Outcome:
    dice = random.Random(f"{seed}/{ground.broker}")
    services = build(read_settings({}, defaults=ground.addresses))
    users = prepare(services)
    ground.start_programs()
    say(f"a whole biblio runs on {ground.broker}, in {ground.folder.path}")
    eyes, films = Eyes(ground.addresses), ground.folder.path / "films"
    films.mkdir()
    people = People(ground.url, [key for _, key in users], random.Random(f"{seed}/people"), films)
    try:
        storm = Storm(ground, people, eyes, dice, measure[0], say)
        weather = storm.blow(runs, without=left_out, seconds=measure[1])
        people.finish()
        ground.stop_programs()
    finally:
        people.close()
    recovered = recoveries(weather.faults, eyes)
    evidence = gather(ground, people, weather, services, eyes)
    findings = check_all(evidence)
    close(services)
    place = ground.folder.path.parent
    return Outcome(ground.broker, seed, weather, people.stories, findings, recovered, left_out, place)


def gather(ground: Ground, people: People, weather: Weather, services: Services, eyes: Eyes) -> Evidence:
    """What is known once every program has ended; the engines still run."""
    close(services)
    return Evidence(
        people.stories,
        weather.faults,
        weather.calm,
        ground.calls,
        eyes,
        services,
        answers=people.faults,
        left=lives_on(ground, eyes),
        broken=broken(ground),
    )


def prepare(services: Services) -> list[tuple[str, str]]:
    """Users and their keys, as `biblio migrate` and `biblio users create` would make them."""
    for engine in engines(services).values():
        engine.prepare()
    made = []
    with services.catalog.transaction() as tx:
        for number in range(USERS):
            user_id, key = tx.users.add(f"person {number}"), secrets.token_urlsafe(32)
            tx.users.give_key(user_id, key)
            made.append((user_id, key))
    return made


@contextmanager
def whole_ground(folder: Path, broker: str) -> Iterator[tuple[Ground, tuple[Kind, ...]]]:
    """Started engines, and the kinds of faults that can't be made on this machine."""
    with _disk(folder / "ground") as left_out, _ground(folder / "ground", broker) as ground:
        yield ground, left_out


@contextmanager
def _ground(path: Path, broker: str) -> Iterator[Ground]:
    ground = Ground(path, broker, SPEECH.format(log=path / "calls"))
    try:
        ground.start_engines()
        yield ground
    finally:
        ground.stop()


@contextmanager
def _disk(path: Path) -> Iterator[tuple[Kind, ...]]:
    """The workers' temporary files lie on a disk of their own, which can be filled; what can't be done here."""
    temporary = path / "tmp"
    path.mkdir(mode=0o755)
    (path / "secrets").mkdir(mode=0o700)
    temporary.mkdir(mode=0o755)
    mounted = os.geteuid() == 0 and _call("mount", "-t", "tmpfs", "-o", f"size={DISK}", "storm", str(temporary))
    clock = _call("cc", "-shared", "-fPIC", "-o", str(path / "clock.so"), str(Path(__file__).with_name("clock.c")))
    left_out = (*(() if mounted else (Kind.DISK,)), *(() if clock else (Kind.CLOCK,)))
    try:
        yield left_out
    finally:
        if mounted:
            _call("umount", "--lazy", str(temporary))


def _call(*command: str) -> bool:
    return shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0
