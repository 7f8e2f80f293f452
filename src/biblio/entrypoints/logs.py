"""Logs of servers: one line an event on standard error, as JSON for programs or as text for people.

What is being worked on (`biblio.log_context`) stands in fields of its own: video, step, attempt, worker, user, request.
"""

import json
import logging
import re
import sys
import time
from typing import Any, Literal

from biblio.log_context import Fields, subject

Form = Literal["json", "text"]

CHATTY = (
    "httpx",
    "httpx2",
    "alembic",
    "botocore",
    "faster_whisper",
    "pinecone",
    "celery.worker.strategy",
    "celery.app.trace",
    "uvicorn.error",  # it tells every live socket's address, question mark and all
)

MOST = 16_384

# The second net: nothing of this should come to a log at all.
SECRETS = (
    (re.compile(r"(?<=://)([^\s/@:]*):[^\s/@]+@"), r"\1:***@"),
    (re.compile(r"\?[^\s\"'<>\\]*(?:X-(?:Amz|Goog)-|Signature=|AWSAccessKeyId=)[^\s\"'<>\\]*", re.I), "?***"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.I), r"\1 ***"),
    (
        re.compile(r"((?<![\w-])[\w-]{0,64}?(?:key|secret|token|password|signature|credential)=)[^\s&\"',;]+", re.I),
        r"\1***",
    ),
)


def set_up_logs(form: Form | None = None) -> None:
    """None: text where somebody looks on, JSON where a program keeps it."""
    form = form or ("text" if sys.stderr.isatty() else "json")
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)


def redacted(text: str) -> str:
    """At most MOST characters of it: whoever can make us log may make it long."""
    if len(text) > MOST:
        text = f"{text[:MOST]}… ({len(text)} characters)"
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
            **_fields(record),
        }
        if error := _traceback(self, record):
            line["exception"] = error
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        # What strangers sent may be quoted in it: one event is one line, and no terminal obeys it.
        said = "".join(one if one.isprintable() else repr(one)[1:-1] for one in redacted(record.getMessage() + fields))
        line = f"{_moment(record)} {record.levelname:<7} {record.name}: {said}"
        error = _traceback(self, record)
        return f"{line}\n{error}" if error else line


def _moment(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What it is about, and what this line says more (`extra={"fields": …}`)."""
    own: Fields = getattr(record, "fields", {})
    return {name: redacted(value) if isinstance(value, str) else value for name, value in {**subject(), **own}.items()}


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    said = formatter.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
    return redacted(said)
