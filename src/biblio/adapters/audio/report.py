"""What ffmpeg says while it works: how far it is, how long the film claims to be, and what went wrong.

Only lines that ffmpeg itself words are believed: text from inside a film (titles, chapters) is always indented there.
"""

import re
from collections import deque

_LINE = re.compile(r"(?:\[[^\]]*\] )*?\[(info|warning|error|fatal)\] (.*)")
_INPUT = re.compile(r"Input #0, ([\w,]+), from ")
_DURATION = re.compile(r"  Duration: (\d+):(\d\d):(\d\d\.\d+),")
_FORM = re.compile(r"  Stream #0:.*?: Audio: .*?, (\d+) Hz, (?:(\d+) channels|ambisonic (\d+))?")
_TIME = re.compile(r"out_time_us=(\d+)")
LONGEST_LINE = 4096
KEPT_COMPLAINTS = 200


class Report:
    """Fed line by line; holds a bounded amount whatever comes."""

    def __init__(self) -> None:
        self.container = ""
        self.declared: float | None = None  # seconds of the longest track, as the container claims
        self.rate: int | None = None  # samples a second of the first track of sound, and its
        self.channels = 0  # channels, where they are so many that their arrangement has no name
        self.done = 0.0  # seconds of sound written
        self.complaints: deque[str] = deque(maxlen=KEPT_COMPLAINTS)
        self.chatter = 0  # characters said about the header, which repeat what stands in it
        self.estimated = False  # `declared` was only guessed from the bit rate
        self.ended_early = False
        self.damaged = False
        self.stopped = False

    def hear_progress(self, line: str) -> None:
        if found := _TIME.fullmatch(line):
            self.done = max(self.done, int(found[1]) / 1e6)

    def hear_log(self, line: str) -> None:
        found = _LINE.match(line[:LONGEST_LINE])
        level, text = found.groups() if found else ("", "")
        if level in ("", "info"):
            self.chatter += len(line)
        if not found:
            return
        if level == "info":
            self._hear_header(text)
        else:
            self._hear_complaint(level, text)

    def _hear_header(self, text: str) -> None:
        if not self.container and (found := _INPUT.match(text)):
            self.container = found[1]
        elif self.container and self.declared is None and (found := _DURATION.match(text)):
            self.declared = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])
        elif self.rate is None and (found := _FORM.match(text)):
            order = int(found[3] or 0)
            self.rate, self.channels = int(found[1]), int(found[2] or 0) or (order + 1) ** 2
        elif text.startswith("Exiting normally, received signal"):
            self.stopped = True
            self.complaints.append(text)

    def _hear_complaint(self, level: str, text: str) -> None:
        if text.endswith(": partial file") or text.startswith("File ended prematurely"):
            self.ended_early = True
        elif text.startswith("Estimating duration from bitrate"):
            self.estimated = True
        if level != "warning":
            self.damaged = True
            self.complaints.append(text)


class Lines:
    """Cuts bytes into lines; of a line without end only the beginning is kept."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        *whole, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:LONGEST_LINE]
        return [line.decode("utf-8", errors="replace").rstrip("\r") for line in whole]
