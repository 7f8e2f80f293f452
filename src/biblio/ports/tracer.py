"""Where traces go: what happened to one video, in every process, as one tree of spans."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from biblio.log_context import Field


class Tracer(Protocol):
    """- all spans of a video are one trace, whichever process they come from
    - a span inside another is its child
    - a span whose work raises says so by its code, and lets the error through
    - a span says what it is about
    - a collector that is away costs no time
    """

    def span(
        self, name: str, video_id: str, *, first: bool = False, **attributes: Field
    ) -> AbstractContextManager[None]:
        """What is done within the block. `first`: with it the video began, so it is the root of its trace."""

    def close(self) -> None:
        """Send what is left, if that can be done within a second or two."""


class Untraced:
    """Where nobody asks for traces."""

    def span(self, *_: object, **__: object) -> AbstractContextManager[None]:
        return nullcontext()

    def close(self) -> None: ...
