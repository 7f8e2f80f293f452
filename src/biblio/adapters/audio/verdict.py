"""From what ffmpeg did to our codes: the only place that knows its wording."""

import re
import signal

from biblio.adapters.audio.cost import COSTLY, UNREADABLE, check_form, too_long
from biblio.adapters.audio.report import Report
from biblio.errors import AdapterError, Misconfigured, Rejected, Unavailable

NO_AUDIO = "NO_AUDIO_TRACK"
NO_SPACE = "NO_SPACE"

ENDS_EARLY = "The file ends before its sound does: it was cut off, perhaps while it was recorded or copied."
NO_MEDIA = "This is not a video or sound file that can be read."
GREEDY = "The file asks for more memory or more tracks than a film needs."
SILENT = "The video has no sound track, so there is nothing to make searchable."

# What ffmpeg (5.1 to 9.0) complains of → what it means. The first row that matches any complaint decides.
COMPLAINTS: tuple[tuple[str, type[AdapterError], str, str], ...] = (
    (r"No space left on device|Disk quota exceeded", Unavailable, NO_SPACE, "The disk for extracted sound is full."),
    (r"(listening\.mp3|speech\.flac).*(denied|Read-only)", Unavailable, "ENGINE_UNAVAILABLE", "ffmpeg cannot write."),
    (r"Stream ends prematurely|Connection (refused|reset)", Unavailable, "ENGINE_UNAVAILABLE", "Reading broke off."),
    (r"matches no streams", Rejected, NO_AUDIO, SILENT),
    (r"received signal 24\b", Rejected, COSTLY, "The file takes far more computing than its length explains."),
    (r"received signal", Unavailable, "ENGINE_UNAVAILABLE", "The extraction was stopped from outside."),
    (r"Cannot allocate memory|memory allocation|pthread_create|exceeds max_streams", Rejected, COSTLY, GREEDY),
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

CANNOT_RUN = 127  # as the cage and the dynamic loader say it

TOLERATED_SECONDS = 1.0
TOLERATED_SHARE = 0.01  # of the stated length: containers round, and count pictures where the sound is shorter
SOUND_ONLY = {"mp3", "flac", "wav"}  # containers whose stated length can only be that of the sound


def explain_failure(report: Report, exit_code: int) -> AdapterError:
    """The error for a run that ended with `exit_code` (negative: a signal) other than 0."""
    if exit_code == CANNOT_RUN:
        return Misconfigured("ffmpeg cannot be run in its cage; `biblio doctor` tries it.", code="MISSING_FFMPEG")
    for pattern, kind, code, sentence in COMPLAINTS:
        if any(re.search(pattern, complaint) for complaint in report.complaints):
            return kind(sentence, code=code)
    kind, code, sentence = SIGNALS.get(-exit_code, (Rejected, UNREADABLE, NO_MEDIA))
    return kind(sentence, code=code)


def check_whole(report: Report, seconds: float, *, missing: int, longest: float) -> None:
    """Raises `Rejected` when `seconds` of sound are not all there was; `missing` is the container's lack of bytes."""
    check_form(report)
    if seconds > longest:
        raise too_long(longest)
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
