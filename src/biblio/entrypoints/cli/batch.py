"""Files on their way to the server: sent one after another, watched while the next one is sent."""

import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from biblio.client import Client
from biblio.client.models import Accepted, Problem
from biblio.entrypoints.cli.report import Outcome, Report
from biblio.errors import BiblioError, InvalidInput, NotPermitted, Unauthenticated

Upload = Callable[..., Accepted]
"""`Client.upload` with the options that are the same for all files filled in."""

WATCHERS = 4
"""Videos asked about at a time. The server takes them in order, so later ones have nothing to tell yet."""


class Batch:
    """Sends files with `upload`. `on_end` hears each outcome once, in one thread at a time."""

    def __init__(
        self, client: Client, upload: Upload, report: Report, on_end: Callable[[Outcome], None], wait: bool
    ) -> None:
        self._client, self._upload, self._report, self._on_end, self._wait = client, upload, report, on_end, wait
        self._accepted: queue.Queue[tuple[int, str, str]] = queue.Queue()
        self._lock = threading.Lock()
        self._hopeless: BiblioError | None = None
        self.uploaded = 0
        self.untried = 0
        self.is_open = False
        """Whether an upload is under way that could be taken up again."""
        self.outcomes: list[Outcome] = []

    def run(self, files: Sequence[str]) -> None:
        """Ends when every file has its outcome. On Ctrl-C it just stops: the watchers die with the process."""
        for _ in range(min(WATCHERS, len(files)) if self._wait else 0):
            threading.Thread(target=self._watch_all, daemon=True).start()
        for number, file in enumerate(files):
            if self._hopeless:
                self.untried += 1
                self._end(number, failed(file, self._hopeless, untried=True))
            else:
                self._send(number, file)
        self._accepted.join()

    def _send(self, number: int, file: str) -> None:
        try:
            video_id = self._take(number, file)
        except BiblioError as error:
            self.is_open = False
            self._hopeless = error if _concerns_all(error) else None
            self._end(number, failed(file, error))
            return
        self.is_open = False
        self.uploaded += 1
        if self._wait:
            self._report.uploaded(number)
            self._accepted.put((number, file, video_id))
        else:
            self._end(number, Outcome(file, video_id, "PENDING"))

    def _take(self, number: int, file: str) -> str:
        path = Path(file)
        try:
            _refuse_what_is_no_file(path)
            self._report.sending(number, path.name, path.stat().st_size)
            accepted = self._upload(
                path,
                on_open=lambda _video_id, size: self._opened(number, size),
                on_progress=lambda size: self._report.sent(number, size),
            )
        except OSError as error:
            raise InvalidInput(f"The file cannot be read: {error.strerror}.", code="FILE_UNREADABLE") from error
        return accepted["video_id"]

    def _opened(self, number: int, there: int) -> None:
        self.is_open = True
        if there:
            self._report.resumed(number, there)

    def _watch_all(self) -> None:
        while True:
            number, file, video_id = self._accepted.get()
            try:
                self._end(number, self._watch(number, file, video_id))
            finally:
                self._accepted.task_done()

    def _watch(self, number: int, file: str, video_id: str) -> Outcome:
        try:
            name = Path(file).name
            last = self._client.wait(video_id, lambda status: self._report.moved(number, name, status))
            if last["status"] != "COMPLETED":
                return Outcome(file, video_id, last["status"], last["error"] or _ended_early(last["status"]))
            video = self._client.video(video_id)
        except BiblioError as error:
            return failed(file, error, video_id)
        return Outcome(file, video_id, "COMPLETED", duration=video["duration"], language=video["language"])

    def _end(self, number: int, outcome: Outcome) -> None:
        with self._lock:
            self.outcomes.append(outcome)
            self._report.ended(number, outcome)
            self._on_end(outcome)


def failed(file: str, error: BiblioError, video_id: str | None = None, untried: bool = False) -> Outcome:
    """The outcome of a file that the server did not take, or of which it tells nothing more."""
    problem: Problem = {"step": None if video_id else "upload", "code": error.code, "message": error.message}
    return Outcome(file, video_id, "FAILED", problem, untried=untried)


def _ended_early(status: str) -> Problem:
    return {"step": None, "code": status, "message": f"The video was {status.lower()} on the server."}


def _refuse_what_is_no_file(path: Path) -> None:
    if path.is_dir():
        raise InvalidInput(f"It is a folder. Name the files in it, as in {path / '*.mp4'}", code="IS_A_FOLDER")
    if not path.exists():
        raise InvalidInput("There is no such file.", code="FILE_NOT_FOUND")
    if not path.is_file():
        raise InvalidInput("It is no regular file.", code="NOT_A_FILE")


def _concerns_all(error: BiblioError) -> bool:
    """True where the next file can only fail in the same way."""
    return isinstance(error, Unauthenticated | NotPermitted) or error.code == "SERVER_UNREACHABLE"
