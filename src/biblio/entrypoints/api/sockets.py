"""The live sockets. Each is a view of the event log that goes on by itself, and takes up where it was left."""

import logging
from asyncio import Event as News
from contextlib import suppress
from typing import Any

from anyio import create_task_group, fail_after, move_on_after, sleep
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from biblio.entrypoints.api.access import as_seen_by, known_user, signed_in_user
from biblio.entrypoints.api.cookie import COOKIE, require_own_origin
from biblio.entrypoints.api.feed import Feed, pause_after
from biblio.entrypoints.api.log_views import LogView, UserLog, VideoBoard, VideoLog
from biblio.entrypoints.api.shapes import LARGEST_NUMBER
from biblio.errors import BiblioError, InvalidInput, Unavailable
from biblio.pipeline.services import Services

router = APIRouter()

PROTOCOL = "biblio"
KEY_PROTOCOL = "key."
"""A browser can set no headers of a socket; in the address, the key would end up in logs."""
DELETED = 4410
UNREAD_SECONDS = 40.0
"""A client that takes nothing for so long has no place here: others wait for one."""
BROKEN = 1011

SERVER_OPTIONS: dict[str, Any] = {
    "ws_max_size": 4096,  # nothing that a client says is read
    "ws_per_message_deflate": False,  # a third of a kilobyte is not worth 40 kB of memory each
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
}
"""Of uvicorn, for whoever serves this."""

log = logging.getLogger(__name__)


@router.websocket("/api/events")
async def user_events(websocket: WebSocket) -> None:
    """Whatever happens to the user's videos; `?after=EVENT_ID` begins behind that event, else from now on."""
    await _serve(websocket, None)


@router.websocket("/api/videos/{video_id}/status/ws")
async def video_status(websocket: WebSocket, video_id: str) -> None:
    """How a video stands, at every change; `?after=EVENT_ID` tells what happened since."""
    await _serve(websocket, video_id)


async def _serve(websocket: WebSocket, video_id: str | None) -> None:
    """What is raised before the socket is accepted answers the handshake, as it does every other call."""
    state = websocket.app.state
    feed: Feed = state.feed
    user_id = await run_in_threadpool(_user, websocket)
    with feed.news_of(user_id) as news:
        view = await run_in_threadpool(_view, as_seen_by(user_id, state.services), user_id, video_id, _after(websocket))
        protocol = PROTOCOL if PROTOCOL in websocket.scope["subprotocols"] else None
        await websocket.accept(protocol, [(b"last-event-id", str(view.cursor).encode())])
        async with create_task_group() as group:
            group.start_soon(_tell, websocket, feed, view, news)
            await _until_gone(websocket)
            group.cancel_scope.cancel()


def _view(services: Services, user_id: str, video_id: str | None, after: int | None) -> LogView:
    if video_id is None:
        return UserLog(services, user_id, after)
    if after is None:
        return VideoBoard(services, user_id, video_id=video_id)
    return VideoLog(services, user_id, after, video_id=video_id)


async def _tell(websocket: WebSocket, feed: Feed, view: LogView, news: News) -> None:
    """Everything there is to tell, then whatever comes. A client that reads slowly is waited for: nothing piles up."""
    failures = 0
    while not view.is_over:
        news.clear()
        try:
            messages = await feed.read(view.read)
            failures = 0
        except Unavailable as error:
            failures += 1
            log.warning("the event log cannot be read for now: %s", error)
            await sleep(pause_after(failures))
            continue
        except BiblioError as error:
            log.error("the event log cannot be read: %s", error, exc_info=error)
            return await _close(websocket, BROKEN, error.code)
        if not await _send(websocket, messages):
            return None
        if not messages:
            with move_on_after(view.patience):
                await news.wait()
    return await _close(websocket, DELETED, "The video was deleted.")


async def _send(websocket: WebSocket, messages: list[str]) -> bool:
    """Whether somebody is still there, and reads."""
    try:
        for message in messages:
            with fail_after(UNREAD_SECONDS):
                await websocket.send_text(message)
    except TimeoutError:
        return False
    except (WebSocketDisconnect, RuntimeError):  # the latter where the server itself has just closed
        return False
    return True


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        await websocket.close(code, reason)


async def _until_gone(websocket: WebSocket) -> None:
    """What a client says is dropped, unread."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


def _user(websocket: WebSocket) -> str:
    """Whose key, or else whose browser it is. A browser sends its cookie for pages of other servers too."""
    state, key, session_id = websocket.app.state, _key(websocket), websocket.cookies.get(COOKIE)
    if key is not None or session_id is None:
        return known_user(state.services, state.rate_limit, key)
    require_own_origin(websocket)
    return signed_in_user(state.services, state.rate_limit, session_id)


def _key(websocket: WebSocket) -> str | None:
    scheme, _, key = websocket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    offered: list[str] = websocket.scope["subprotocols"]
    return next((one.removeprefix(KEY_PROTOCOL) for one in offered if one.startswith(KEY_PROTOCOL)), None)


def _after(websocket: WebSocket) -> int | None:
    given = websocket.query_params.get("after")
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 20 and int(given) <= LARGEST_NUMBER):
        raise InvalidInput("'after' is to be the event_id of an event, or 0.", code="INVALID_EVENT_ID")
    return int(given)
