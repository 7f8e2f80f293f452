"""How things are written: for people on a terminal, as plain lines for pipes, as JSON for programs."""

import json
import sys
from typing import TYPE_CHECKING, Any, TextIO

from biblio.errors import BiblioError

if TYPE_CHECKING:
    from rich.console import Console

HINTS = {
    "UNAUTHENTICATED": "Set BIBLIO_API_KEY to a key of this server; `biblio users create` makes one.",
    "NOT_FOUND": "`biblio list` shows the ids of your videos.",
}
"""What to do about an error, by its code, where its own sentence does not say it."""


def console(stream: TextIO | None = None) -> "Console":
    """A console on standard output, or on `stream`. Colours and control codes go to terminals only."""
    from rich.console import Console

    out = stream or sys.stdout
    return Console(file=out, force_terminal=out.isatty(), highlight=False, markup=False, emoji=False)


def on_terminal(stream: TextIO) -> bool:
    """True where lines can be drawn over again."""
    screen = console(stream)
    return screen.is_terminal and not screen.is_dumb_terminal


def print_json(value: Any) -> None:
    """One JSON value on one line, valid whatever the terminal's encoding."""
    ascii_only = (sys.stdout.encoding or "").lower() not in ("utf-8", "utf8")
    sys.stdout.write(json.dumps(value, ensure_ascii=ascii_only) + "\n")
    sys.stdout.flush()


def show_error(error: BiblioError) -> None:
    """One red line on standard error, and a hint below where there is one."""
    screen = console(sys.stderr)
    screen.print(error_line(error.message, error.code), style="red", soft_wrap=True)
    if error.code in HINTS:
        screen.print(HINTS[error.code], style="dim", soft_wrap=True)


def error_line(message: str, code: str) -> str:
    return f"error: {one_line(message)} ({code})"


def note(text: str) -> None:
    """A sentence beside the result, on standard error."""
    console(sys.stderr).print(text, style="dim", soft_wrap=True)


def one_line(text: str) -> str:
    return printable(text).strip()


def printable(text: str) -> str:
    """Text that came from elsewhere, letter for letter, with blanks for line breaks and codes that drive a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def clock(seconds: float | None) -> str:
    """A time as people write it: 0:07, 12:34, 1:02:03; empty for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
