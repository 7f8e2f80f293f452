"""Does the size of a video show in memory? Peaks of the media worker and of the API while videos of three sizes go in.

The media worker is the sum of its process tree, ffmpeg included; the API is watched from before the upload begins to
its end. RSS counts pages that forked processes share once for each, PSS (Linux only) shares them out. Always starts
its own biblio, since it has to see the processes. Needs three times the largest size of free disk.
Exit code 1 when the media worker's peaks for the smallest and the largest differ by over 10 %, or the API grows by
over 20 MB during any upload.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
from machine import Server, describe, ffmpeg, sample_talk, server

from biblio.client import Client

MB = 1000**2
MOST_DIFFERENCE = 0.10
MOST_GROWTH_MB = 20.0
BEAT = 0.05
CLIP_SECONDS = 60


@dataclass
class Peaks:
    """In MB."""

    media_rss: float = 0.0
    media_pss: float = 0.0
    api_before: float = 0.0
    api_upload: float = 0.0
    api_all: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    samples: int = 0

    @property
    def api_growth(self) -> float:
        return self.api_upload - self.api_before


class Watch:
    """Samples the worker's tree and the API in a thread of its own until the `with` block ends."""

    def __init__(self) -> None:
        mine = psutil.Process().children(recursive=True)
        self._media = _oldest(mine, ["worker", "--queue", "media"])
        self._api = _oldest(mine, ["biblio", "api"])
        self.peaks = Peaks(api_before=self._api.memory_info().rss / MB)
        self.uploading = True
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample_all, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample_all(self) -> None:
        while not self._over.wait(BEAT):
            peaks, api = self.peaks, self._api.memory_info().rss / MB
            rss, pss = _tree(self._media)
            peaks.media_rss, peaks.media_pss = max(peaks.media_rss, rss), max(peaks.media_pss, pss)
            peaks.api_all = max(peaks.api_all, api)
            if self.uploading:
                peaks.api_upload = max(peaks.api_upload, api)
            peaks.samples += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 2000, 4000], metavar="MB")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    machine = describe()
    found: dict[int, Peaks] = {}
    with tempfile.TemporaryDirectory(prefix="biblio-bench-") as folder, server(own=True) as biblio:
        clip = make_clip(Path(folder) / "clip.mp4", min(options.sizes))
        with Client(biblio.url, biblio.key) as client:
            take(biblio, client, sample_talk())  # once, so that everything is loaded
            for size in options.sizes:
                film = repeat(clip, size)
                found[size] = take(biblio, client, film)
                film.unlink()
                tell(found[size])
    went_well = judge(found)
    if options.json:
        sizes = {size: asdict(peaks) for size, peaks in found.items()}
        options.json.write_text(json.dumps({"machine": machine, "sizes_mb": sizes}, indent=2) + "\n", encoding="utf-8")
    return 0 if went_well else 1


def make_clip(target: Path, megabytes: int) -> Path:
    """A minute of moving noise of that size with a silent sound track: nothing for the speech model to do."""
    rate = f"{megabytes * 8000 / CLIP_SECONDS:.0f}k"
    picture = ("-f", "lavfi", "-i", f"testsrc2=size=640x360:rate=25:duration={CLIP_SECONDS},noise=alls=90:allf=t")
    sound = ("-f", "lavfi", "-i", f"anullsrc=r=44100:cl=stereo:d={CLIP_SECONDS}")
    bits = ("-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate, "-x264-params", "nal-hrd=cbr")
    ffmpeg(*picture, *sound, "-c:v", "libx264", "-preset", "ultrafast", *bits, "-c:a", "aac", str(target))
    return target


def repeat(clip: Path, megabytes: int) -> Path:
    """The clip after itself until the film has that size: longer, not richer, as a longer lecture is."""
    times = max(1, round(megabytes * MB / clip.stat().st_size))
    names, film = clip.with_suffix(".txt"), clip.with_name(f"film_{megabytes}.mp4")
    names.write_text(f"file '{clip}'\n" * times, encoding="utf-8")
    ffmpeg("-f", "concat", "-safe", "0", "-i", str(names), "-c", "copy", str(film))
    return film


def take(biblio: Server, client: Client, film: Path) -> Peaks:
    """Ingest it and watch; the video is deleted again."""
    began = time.monotonic()
    with Watch() as watch:
        with biblio.ingest([film], "--language", "en") as process:
            follow(client, watch, began, process)
            output, _ = process.communicate()
        time.sleep(2 * BEAT)
    outcome: dict[str, Any] = json.loads(output)
    if outcome["status"] != "COMPLETED":
        raise SystemExit(f"{film.name} was not taken: {outcome}")
    client.delete(outcome["video_id"])
    size = film.stat().st_size / MB
    print(f"{film.name}: {size:.0f} MB, {outcome['duration'] or 0:.0f} s long", flush=True)
    return watch.peaks


def follow(client: Client, watch: Watch, began: float, process: Any) -> None:
    """Note when each status is first seen, and when the upload is over."""
    while process.poll() is None:
        newest = next(iter(client.videos(page_size=1)), None)
        status = newest["status"] if newest else "UPLOADING"
        if status not in watch.peaks.seconds:
            watch.peaks.seconds[status] = round(time.monotonic() - began, 1)
        if watch.uploading and watch.peaks.seconds.keys() - {"UPLOADING", "COMPLETED"}:
            watch.uploading = False
        time.sleep(0.25)


def tell(peaks: Peaks) -> None:
    print(f"  media worker and ffmpeg: peak {peaks.media_rss:.1f} MB RSS, {peaks.media_pss:.1f} MB PSS")
    growth = f"during the upload {peaks.api_upload:.1f} ({peaks.api_growth:+.1f}), highest {peaks.api_all:.1f}"
    print(f"  API: {peaks.api_before:.1f} MB before, {growth}")
    print(f"  {peaks.samples} samples; seconds until {peaks.seconds}", flush=True)


def judge(found: dict[int, Peaks]) -> bool:
    small, large = found[min(found)], found[max(found)]
    difference = large.media_rss / small.media_rss - 1
    shared = large.media_pss / small.media_pss - 1 if small.media_pss else 0.0
    growth = max(peaks.api_growth for peaks in found.values())
    flat, small_api = abs(difference) <= MOST_DIFFERENCE, growth <= MOST_GROWTH_MB
    print(f"media worker, {min(found)} MB → {max(found)} MB: {difference:+.1%} RSS, {shared:+.1%} PSS", end="; ")
    print(f"allowed ±{MOST_DIFFERENCE:.0%}: {'kept' if flat else 'MISSED'}")
    print(f"API during uploads: {growth:+.1f} MB; allowed +{MOST_GROWTH_MB:g}: {'kept' if small_api else 'MISSED'}")
    return flat and small_api


def _oldest(processes: list[psutil.Process], words: list[str]) -> psutil.Process:
    """The program, not the children it forked, which have its command line too."""
    found = [process for process in processes if _holds(process.cmdline(), words)]
    if not found:
        raise SystemExit(f"there is no process {' '.join(words)}")
    return min(found, key=lambda process: (process.create_time(), process.pid))


def _holds(command: list[str], words: list[str]) -> bool:
    return any(command[start : start + len(words)] == words for start in range(len(command)))


def _tree(root: psutil.Process) -> tuple[float, float]:
    rss = pss = 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            info = process.memory_full_info()
        except psutil.Error:
            continue  # it has ended meanwhile
        rss += info.rss / MB
        pss += getattr(info, "pss", 0) / MB
    return rss, pss


if __name__ == "__main__":
    sys.exit(main())
