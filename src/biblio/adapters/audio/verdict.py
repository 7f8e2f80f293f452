"""From what ffmpeg did to our codes: the only place that knows its wording."""

import re
import signal
from datetime import timedelta

from biblio.adapters.audio.report import Report
from biblio.errors import AdapterError, Rejected, Unavailable

UNREADABLE = "UNREADABLE_MEDIA"
NO_AUDIO = "NO_AUDIO_TRACK"
COSTLY = "MEDIA_TOO_COSTLY"
TOO_LONG = "TOO_LONG"
NO_SPACE = "NO_SPACE"

ENDS_EARLY = "The file ends before its sound does: it was cut off, perhaps while it was recorded or copied."
NO_MEDIA = "This is not a video or sound file that can be read."
SILENT = "The video has no sound track, so there is nothing to make searchable."

# What ffmpeg (5.1 to 9.0) complains of → what it means. The first row that matches any complaint decides.
COMPLAINTS: tuple[tuple[str, type[AdapterError], str, str], ...] = (
    (r"No space left on device|Disk quota exceeded", Unavailable, NO_SPACE, "The disk for extracted sound is full."),
    (r"Stream ends prematurely|Connection (refused|reset)", Unavailable, "ENGINE_UNAVAILABLE", "Reading broke off."),
    (r"matches no streams", Rejected, NO_AUDIO, SILENT),
    (r"received signal 24\b", Rejected, COSTLY, "The file takes far more computing than its length explains."),
    (r"received signal", Unavailable, "ENGINE_UNAVAILABLE", "The extraction was stopped from outside."),
    (r"Cannot allocate memory|memory allocation", Rejected, COSTLY, "The file asks for more memory than a film needs."),
    (r"File too large", Rejected, COSTLY, "The sound of the file grows beyond every bound."),
    (r"Format not on whitelist", Rejected, UNREADABLE, "This kind of file is not taken, whatever its name says."),
    (r"moov atom not found", Rejected, UNREADABLE, f"The index of the video is missing. {ENDS_EARLY}"),
    (
        r"not on whitelist|no decoder found|[Ee]rror (while )?opening decoder|Decoder .* not found",
        Rejected,
        UNREADABLE,
        "The sound track is in a coding that cannot be read.",
    ),
)

SIGNALS: dict[int, tuple[type[AdapterError], str, str]] = {
    signal.SIGXFSZ: (Rejected, COSTLY, "The sound of the file grows beyond every bound."),
    signal.SIGXCPU: (Rejected, COSTLY, "The file takes far more computing than its length explains."),
    # Ours would have come as one of the above: this is an operator, a deploy or a machine out of memory.
    signal.SIGKILL: (Unavailable, "ENGINE_UNAVAILABLE", "The extraction was stopped from outside."),
    signal.SIGTERM: (Unavailable, "ENGINE_UNAVAILABLE", "The extraction was stopped from outside."),
}

TOLERATED_SECONDS = 1.0
TOLERATED_SHARE = 0.01  # of the stated length: containers round, and count pictures where the sound is shorter
SOUND_ONLY = {"mp3", "flac", "wav"}  # containers whose stated length can only be that of the sound


def explain_failure(report: Report, exit_code: int) -> AdapterError:
    """The error for a run that ended with `exit_code` (negative: a signal) other than 0."""
    for pattern, kind, code, sentence in COMPLAINTS:
        if any(re.search(pattern, complaint) for complaint in report.complaints):
            return kind(sentence, code=code)
    kind, code, sentence = SIGNALS.get(-exit_code, (Rejected, UNREADABLE, NO_MEDIA))
    return kind(sentence, code=code)


def check_whole(report: Report, seconds: float, *, missing: int, longest: float) -> None:
    """Raises `Rejected` when `seconds` of sound are not all there was; `missing` is the container's lack of bytes."""
    if seconds > longest:
        allowed = timedelta(seconds=round(longest))
        raise Rejected(f"The video is longer than the {allowed} (h:mm:ss) that are allowed.", code=TOO_LONG)
    if missing or (_claims_its_length(report) and _falls_short(report, seconds)):
        raise Rejected(ENDS_EARLY, code=UNREADABLE)
    if not seconds and report.damaged:
        raise Rejected("Nothing of the sound track can be read.", code=UNREADABLE)
    if not seconds:
        raise Rejected("The sound track of the video is empty.", code=NO_AUDIO)


def _claims_its_length(report: Report) -> bool:
    return report.ended_early or (report.container in SOUND_ONLY and not report.estimated)


def _falls_short(report: Report, seconds: float) -> bool:
    if report.declared is None:
        return False  # a live recording: what is there is all there is
    return report.declared - seconds > max(TOLERATED_SECONDS, TOLERATED_SHARE * report.declared)
