"""What is being worked on right now: every log line and every span says it, without being told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

Field = str | int | float
Fields = Mapping[str, Field]

_fields: ContextVar[dict[str, Field]] = ContextVar("log_context")


@contextmanager
def about(**fields: Field) -> Iterator[None]:
    """Within this block it is about these too. A thread begun in it takes them along by `contextvars.copy_context`."""
    token = _fields.set({**_fields.get({}), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def note(**fields: Field) -> None:
    """What turned out meanwhile, for the rest of the innermost block, in threads that it began too."""
    if (known := _fields.get(None)) is not None:
        known.update(fields)


def subject() -> Fields:
    return dict(_fields.get({}))
