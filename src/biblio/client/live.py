"""The server's live sockets: messages as they come, taken up where a broken line cut them off."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx

from biblio.client.backoff import Retries
from biblio.client.problems import error_of, no_answer
from biblio.client.trust import LOOPBACK, trust
from biblio.errors import RateLimited, Rejected, Unavailable

DELETED = 4410
"""The code by which the socket of a video ends that is deleted."""
OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
LARGEST = 1024 * 1024
PAUSES = Retries(first=0.2, longest=5.0, tries=10**9)


class Live:
    """An open socket: iterate over its messages. The iteration ends with a video's deletion.

    Raises `Unavailable` when the line breaks or the server goes.
    """

    def __init__(self, connection: Any, url: str) -> None:
        self._connection, self._url = connection, url
        self.last_event_id = int(connection.response.headers.get("Last-Event-Id", 0))
        """Whatever happened up to this event is not told; but for a video's newest event."""

    def __iter__(self) -> Iterator[Any]:
        while (message := self.receive()) is not None:
            yield message

    def receive(self, timeout: float | None = None) -> Any:
        """The next message; None after the last one. `timeout` in seconds."""
        from websockets.exceptions import ConnectionClosed

        try:
            return json.loads(self._connection.recv(timeout))
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code == DELETED:
                return None
            raise Unavailable(f"The connection to {self._url} broke.", code="CONNECTION_LOST") from closed
        except TimeoutError as error:
            raise Unavailable(f"{self._url} did not answer in time.", code="SERVER_TIMEOUT") from error
        except ValueError:
            raise Rejected(f"What answers at {self._url} is not biblio's API.", code="NOT_BIBLIO") from None


Opener = Callable[[int | None], AbstractContextManager[Live]]
"""Opens a socket that tells what happened after an event; None: from now on."""


@contextmanager
def open_live(url: str, api_key: str, path: str, after: int | None) -> Iterator[Live]:
    """Raises what every other call raises."""
    # Read when it is wanted: most commands and programs never open one.
    from websockets.exceptions import InvalidStatus, WebSocketException
    from websockets.sync.client import connect

    address = "ws" + url.removeprefix("http") + path + (f"?{urlencode({'after': after})}" if after is not None else "")
    host = httpx.URL(url).host
    try:
        connection = connect(
            address,
            ssl=trust() if url.startswith("https") else None,
            additional_headers={"Authorization": f"Bearer {api_key}"},
            proxy=None if host in LOOPBACK else True,
            compression=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            max_size=LARGEST,
            legacy=True,
        )
    except InvalidStatus as refused:
        answer = refused.response
        request = httpx.Request("GET", url + path)
        response = httpx.Response(
            answer.status_code,
            headers=list(answer.headers.raw_items()),
            content=bytes(answer.body or b""),
            request=request,
        )
        raise error_of(response) from refused
    except WebSocketException as error:  # of other kinds than documented, too, when the line breaks early
        raise no_answer(httpx.ReadError(str(error)), url) from error
    except TimeoutError as error:
        raise no_answer(httpx.ReadTimeout(str(error)), url) from error
    except (OSError, EOFError) as error:
        raise no_answer(httpx.ConnectError(str(error)), url) from error
    with connection:
        yield Live(connection, url)


def follow(open_socket: Opener, after: int | None, patience: float) -> Iterator[Any]:
    """Every message once and in order, over as many sockets as it takes; ends as `Live` does.

    A server that has answered before may be away for `patience` seconds. Raises what opening a socket raises.
    """
    failures, lost_at, has_answered = 0, 0.0, False
    while True:
        try:
            with open_socket(after) as live:
                has_answered, lost_at = True, 0.0
                after = live.last_event_id if after is None else after
                for message in live:
                    failures, after = 0, message["event_id"]
                    yield message
                return
        except (Unavailable, RateLimited) as error:
            failures += 1
            lost_at = lost_at or time.monotonic()
            if not has_answered or time.monotonic() - lost_at > patience:
                raise
            time.sleep(PAUSES.pause(failures, error.details.get("retry_after")) or 0.0)
