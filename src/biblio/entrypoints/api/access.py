"""Who calls, and how much they may send."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from biblio.entrypoints.api.problems import problem
from biblio.errors import Unauthenticated
from biblio.pipeline.services import Services

LARGEST_BODY = 64 * 1024
"""Bytes. Nothing this API takes is larger: videos go straight to storage."""

_bearer = HTTPBearer(auto_error=False, description="The user's API key.")


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


TheServices = Annotated[Services, Depends(services_of)]


def user_of(services: TheServices, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> str:
    """The id of the user whose key came with the call. Raises `Unauthenticated`."""
    if given is None:
        raise Unauthenticated("Send your API key: Authorization: Bearer KEY.", code="KEY_MISSING")
    with services.catalog.transaction() as tx:
        user_id = tx.users.owner_of(given.credentials)
    if user_id is None:
        raise Unauthenticated("This API key is not known.", code="KEY_UNKNOWN")
    return user_id


TheUser = Annotated[str, Depends(user_of)]


class BodyLimit:
    """Refuses a body over LARGEST_BODY before it is read into memory, whether its length was declared or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _declared(scope) > LARGEST_BODY:
            await _too_large(scope, receive, send)
        else:
            await self._app(scope, _limited(receive) if scope["type"] == "http" else receive, send)


def _declared(scope: Scope) -> int:
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length) if length.isdigit() else LARGEST_BODY + 1


def _limited(receive: Receive) -> Receive:
    """A body that outgrows the limit undeclared is cut: what is left is no JSON, and is refused as such."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return message if taken <= LARGEST_BODY else {"type": "http.request", "body": b"", "more_body": False}

    return limited


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    sentence = f"A request has at most {LARGEST_BODY} bytes; videos go straight to storage."
    await problem(413, "BODY_TOO_LARGE", sentence, headers={"Connection": "close"})(scope, receive, send)
