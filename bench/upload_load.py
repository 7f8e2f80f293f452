"""Fifty uploads at once: does the API notice? Its answers to new videos, its errors and its memory while bytes flow.

Every client sends one file in parts straight to the storage, as fast as this machine takes it, from a few processes
that hand the file to the kernel and cost little themselves. A prober announces videos and asks for their status all
the while. Always starts its own biblio, since it has to see its processes. Needs free disk for `clients` x
`megabytes` x `rounds`.
Exit code 1 when, in the median of the rounds, 95 % of the POSTs took 100 ms or more, when anything was answered
5xx, or when the API's memory left its place by more than 20 MB in any round.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
from machine import Server, describe, load, median, server

MB = 1000**2
MOST_P95_MS = 100.0
MOST_GROWTH_MB = 20.0
THRESHOLD = 16 * 1024**2
BEGINNING = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
BEAT = 0.05
REST_SECONDS = 3.0


@dataclass
class Round:
    """Milliseconds and MB. `codes` counts every answer of the API by its HTTP status, `storage_codes` storage's."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    posts: int = 0
    rss_start: float = 0.0
    rss_peak: float = 0.0
    rss_end: float = 0.0
    mb_per_second: float = 0.0
    seconds: float = 0.0
    codes: dict[int, int] = field(default_factory=dict)
    storage_codes: dict[int, int] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        return sum(count for codes in (self.codes, self.storage_codes) for code, count in codes.items() if code >= 500)

    @property
    def moved(self) -> float:
        return max(self.rss_peak - self.rss_start, abs(self.rss_end - self.rss_start))


@dataclass
class Sent:
    """What one client saw: moments of the machine's monotonic clock, and every answer's status."""

    first_byte: float = 0.0
    last_byte: float = 0.0
    codes: list[int] = field(default_factory=list)
    storage_codes: list[int] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=50, help="uploads at once")
    parser.add_argument("--megabytes", type=int, default=48, help="of each file")
    parser.add_argument("--processes", type=int, default=2, help="that the clients share")
    parser.add_argument("--rate", type=float, default=10, help="POSTs a second of the prober")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    machine = describe()
    os.environ["BIBLIO_MULTIPART_THRESHOLD"] = str(THRESHOLD)
    with tempfile.TemporaryDirectory(prefix="biblio-bench-") as folder, server(own=True) as biblio:
        film = make_film(Path(folder) / "film.mp4", options.megabytes * MB)
        warm_up(biblio, film)
        rounds = []
        for number in range(1, options.rounds + 1):
            rounds.append(measure(biblio, film, options))
            tell(number, rounds[-1])
    went_well = judge(rounds)
    if options.json:
        figures = {"machine": machine, "clients": options.clients, "rounds": [asdict(one) for one in rounds]}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if went_well else 1


def make_film(path: Path, size: int) -> Path:
    """Begins like a film, so that it is taken; its workers find out soon that it is none."""
    with path.open("wb") as file:
        file.write(BEGINNING)
        for left in range(size - len(BEGINNING), 0, -MB):
            file.write(os.urandom(min(MB, left)))
    return path


def warm_up(biblio: Server, film: Path) -> None:
    """One upload and a few calls, so that everything is loaded; what many at once cost is measured."""
    send_all(biblio.url, biblio.key, str(film), 1)
    with Prober(biblio, rate=20):
        time.sleep(2)
    forget_videos(biblio)


def measure(biblio: Server, film: Path, options: argparse.Namespace) -> Round:
    shares = [options.clients // options.processes] * options.processes
    shares[0] += options.clients - sum(shares)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, mp_context=spawn) as pool:
        list(pool.map(time.sleep, [0.5] * options.processes))  # they have started before anything is measured
        with Watch() as watch, Prober(biblio, options.rate) as prober:
            jobs = [pool.submit(send_all, biblio.url, biblio.key, str(film), share) for share in shares]
            sent = [one for job in jobs for one in job.result()]
    time.sleep(REST_SECONDS)
    result = Round(rss_start=watch.start, rss_peak=watch.peak, rss_end=watch.now())
    add_times(result, sent, prober, film.stat().st_size)
    forget_videos(biblio)
    return result


def add_times(result: Round, sent: list[Sent], prober: "Prober", size: int) -> None:
    first, last = min(one.first_byte for one in sent), max(one.last_byte for one in sent)
    took = sorted(took * 1000 for began, took in prober.posts if first <= began <= last)
    if len(took) < 20:
        raise SystemExit(f"only {len(took)} POSTs while bytes flowed: use larger files")
    percentiles = statistics.quantiles(took, n=100, method="inclusive")
    result.p50, result.p95, result.p99 = percentiles[49], percentiles[94], percentiles[98]
    result.posts, result.seconds = len(took), last - first
    result.mb_per_second = size * len(sent) / MB / result.seconds
    result.codes = count([*prober.codes, *(code for one in sent for code in one.codes)])
    result.storage_codes = count([code for one in sent for code in one.storage_codes])


def count(codes: list[int]) -> dict[int, int]:
    return {code: codes.count(code) for code in sorted(set(codes))}


def send_all(url: str, key: str, film: str, clients: int) -> list[Sent]:
    """Runs in a process of its own: `clients` uploads at once."""
    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(lambda _number: send(url, key, Path(film)), range(clients)))


def send(url: str, key: str, film: Path) -> Sent:
    sent, size = Sent(), film.stat().st_size
    with open_api(url, key) as api, film.open("rb") as file:
        created = ask(api, sent, "POST", "/api/videos", {"file_name": film.name, "file_size": size})
        place = f"/api/videos/{created['video_id']}"
        numbers = list(range(1, created["upload"]["part_count"] + 1))
        signed = ask(api, sent, "POST", f"{place}/upload/parts", {"numbers": numbers})["parts"]
        sent.first_byte = time.monotonic()
        for part in signed:
            sent.storage_codes.append(put(part, file, (part["number"] - 1) * created["upload"]["part_size"]))
        sent.last_byte = time.monotonic()
        ask(api, sent, "POST", f"{place}/upload-complete", {})
    return sent


def ask(api: httpx.Client, sent: Sent, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = api.request(method, path, json=body)
    sent.codes.append(answer.status_code)
    if not answer.is_success:
        raise SystemExit(f"{path} was answered {answer.status_code}: {answer.text}")
    given: dict[str, Any] = answer.json()
    return given


def put(part: dict[str, Any], file: Any, offset: int) -> int:
    """The part straight from the file to the socket; its status."""
    where = urlsplit(part["url"])
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=300)
    connection.putrequest(part["method"], f"{where.path}?{where.query}")
    for name, value in {**part["headers"], "Content-Length": str(part["size"])}.items():
        connection.putheader(name, value)
    connection.endheaders()
    line: socket.socket = connection.sock
    line.sendfile(file, offset, part["size"])
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def open_api(url: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False)


class Prober:
    """Announces a video and asks for its status, `rate` times a second, until the `with` block ends."""

    def __init__(self, biblio: Server, rate: float) -> None:
        self.posts: list[tuple[float, float]] = []
        self.codes: list[int] = []
        self._api = open_api(biblio.url, biblio.key)
        self._beat = 1 / rate
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._probe_all, daemon=True)

    def __enter__(self) -> "Prober":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._api.close()

    def _probe_all(self) -> None:
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due += self._beat
            self._probe()

    def _probe(self) -> None:
        began = time.monotonic()
        answer = self._api.post("/api/videos", json={"file_name": "probe.mp4", "file_size": 1})
        self.posts.append((began, time.monotonic() - began))
        self.codes.append(answer.status_code)
        if answer.is_success:
            status = self._api.get(f"/api/videos/{answer.json()['video_id']}/status")
            self.codes.append(status.status_code)


class Watch:
    """The API's memory (RSS, MB), sampled in a thread of its own until the `with` block ends."""

    def __init__(self) -> None:
        found = [one for one in psutil.Process().children(recursive=True) if "api" in one.cmdline()[1:5]]
        if not found:
            raise SystemExit("there is no process biblio api")
        self._api = min(found, key=lambda process: process.create_time())
        self.start = self.peak = self.now()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample_all, daemon=True)

    def now(self) -> float:
        return float(self._api.memory_info().rss) / MB

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample_all(self) -> None:
        while not self._over.wait(BEAT):
            self.peak = max(self.peak, self.now())


def forget_videos(biblio: Server) -> None:
    with open_api(biblio.url, biblio.key) as api:
        while videos := api.get("/api/videos", params={"limit": 100}).json()["videos"]:
            for video in videos:
                if api.delete(f"/api/videos/{video['video_id']}").status_code == 429:
                    time.sleep(1)  # it is asked again with the next page


def tell(number: int, one: Round) -> None:
    print(f"round {number}: POST p50 {one.p50:.0f} ms, p95 {one.p95:.0f} ms, p99 {one.p99:.0f} ms", end="")
    print(f" ({one.posts} of them in {one.seconds:.1f} s, while {one.mb_per_second:.0f} MB/s flowed)")
    print(f"  API: {one.rss_start:.1f} MB before, {one.rss_peak:.1f} at most, {one.rss_end:.1f} after", end="; ")
    print(f"answers {one.codes}, storage's {one.storage_codes} (load {load()})", flush=True)


def judge(rounds: list[Round]) -> bool:
    p95, errors = median([one.p95 for one in rounds]), sum(one.errors for one in rounds)
    moved = max(one.moved for one in rounds)
    bounds = [
        (p95 < MOST_P95_MS, f"p95 of POST, median: {p95:.0f} ms, allowed under {MOST_P95_MS:g}"),
        (errors == 0, f"answers 5xx: {errors}, allowed 0"),
        (moved <= MOST_GROWTH_MB, f"API memory: moved by {moved:.1f} MB, allowed {MOST_GROWTH_MB:g}"),
    ]
    for kept, told in bounds:
        print(f"{told}: {'kept' if kept else 'MISSED'}")
    return all(kept for kept, _ in bounds)


if __name__ == "__main__":
    sys.exit(main())
