"""What a film may cost. What goes beyond was made to annoy, whatever its header says."""

from datetime import timedelta

from biblio.adapters.audio.report import Report
from biblio.adapters.audio.tape import Tape
from biblio.errors import Rejected

COSTLY = "MEDIA_TOO_COSTLY"
TOO_LONG = "TOO_LONG"
UNREADABLE = "UNREADABLE_MEDIA"

MIN_RATE, MAX_RATE = 1_000, 384_000  # hertz: below any telephone, and twice what the best studios use
MAX_CHANNELS = 24  # the largest arrangement of loudspeakers that has a name, 22.2

# Seconds of computing. An ordinary film takes 0.005 for each of its own, and no container a tenth of a second to open.
SPARE_CPU = 15.0
CPU_SHARE = 0.1
# Seconds of sound. Even silence that is hardly coded takes 20 bytes for each; the spare is for a gap in a short clip.
SPARE_SOUND = 1800.0
SOUND_A_BYTE = 0.1
# Bytes from storage, in sizes of the film: a film's sound is read once, its index perhaps twice.
MOST_READINGS = 4
SPARE_READING = 256 * 1024**2
MOST_CHATTER = 8 * 1024**2  # characters: a header of ten thousand chapters takes 1 MB
LONG_LOOK = 600.0  # seconds of sound after which a length above the limit is believed, when the bytes agree


def check_cost(report: Report, tape: Tape, *, cpu: float, longest: float) -> None:
    """Raises `Rejected`. `cpu`: seconds of computing so far; `longest`: seconds that a film may last."""
    check_form(report)
    if cpu > SPARE_CPU + CPU_SHARE * report.done:
        raise Rejected("The file takes far more computing than its length explains.", code=COSTLY)
    if report.done > SPARE_SOUND + SOUND_A_BYTE * tape.size:
        raise Rejected("The file is far too small for the length of its sound.", code=COSTLY)
    if tape.transferred > MOST_READINGS * tape.size + SPARE_READING:
        raise Rejected("The file makes its reader go round in circles.", code=COSTLY)
    if report.chatter > MOST_CHATTER:
        raise Rejected("The file holds far more titles and chapters than a film needs.", code=COSTLY)
    if _is_sure_to_be_longer(report, tape, longest):
        raise too_long(longest)


def check_form(report: Report) -> None:
    """Raises `Rejected` when the header states a sound that no microphone makes and no loudspeaker plays."""
    if report.channels > MAX_CHANNELS:
        message = f"The file states {report.channels} channels of sound; no recording has more than {MAX_CHANNELS}."
        raise Rejected(message, code=UNREADABLE)
    if report.rate is not None and not MIN_RATE <= report.rate <= MAX_RATE:
        message = f"The file states {report.rate} samples of sound a second, which no recording has."
        raise Rejected(message, code=UNREADABLE)


def too_long(longest: float) -> Rejected:
    allowed = timedelta(seconds=round(longest))
    return Rejected(f"The video is longer than the {allowed} (h:mm:ss) that are allowed.", code=TOO_LONG)


def _is_sure_to_be_longer(report: Report, tape: Tape, longest: float) -> bool:
    """A header may lie. But what it says and what was heard for the bytes read so far do not lie alike."""
    if report.done < LONG_LOOK or (report.declared or 0) <= longest:
        return False
    return report.done * tape.size > 2 * longest * tape.position
