"""Who calls, how often, and how much they may send."""

import logging
import time
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from biblio.entrypoints.api.cookie import SessionCookie, require_csrf_token
from biblio.entrypoints.api.problems import problem
from biblio.errors import AdapterError, RateLimited, Unauthenticated
from biblio.log_context import note
from biblio.pipeline.services import Services
from biblio.pipeline.sign_in import session_of

LARGEST_BODY = 64 * 1024
"""Bytes. Nothing this API takes is larger: videos go straight to storage."""

BURST_SECONDS = 5
"""A user who was quiet may send this many seconds' requests at once."""
PAUSE_SECONDS = 5.0
"""So long is a limiter that does not answer left alone, or every request would wait for it."""

log = logging.getLogger(__name__)

_bearer = HTTPBearer(auto_error=False, description="The user's API key.")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def services_of(request: Request) -> Services:  # needs no thread
    services: Services = request.app.state.services
    return services


TheServices = Annotated[Services, Depends(services_of)]


class RateLimit:
    """At most `per_second` requests of each user, in the long run, from all API processes together."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._off_until = 0.0

    def check(self, services: Services, user_id: str) -> None:
        """Raises `RateLimited`. Without its limiter the API goes on: to take no videos would be the greater harm."""
        if time.monotonic() < self._off_until:
            return
        capacity = max(1.0, self._per_second * BURST_SECONDS)
        try:
            wait = services.limiter.take(
                f"requests:{user_id}", amount=1, capacity=capacity, per_second=self._per_second
            )
        except AdapterError as error:
            self._off_until = time.monotonic() + PAUSE_SECONDS
            log.error("requests are not limited for now: %s", error)
            return
        if wait > 0:
            message = f"More than {self._per_second:g} requests a second: wait {wait:.1f} s."
            raise RateLimited(message, retry_after=wait, limit=self._per_second)


def user_of(request: Request, services: TheServices, given: Bearer, session_id: SessionCookie) -> str:
    """The id of the user whose key or session came with the call; a key wins.

    Raises `Unauthenticated`, `NotPermitted` and `RateLimited`.
    """
    if given is None and session_id is not None:
        user_id = signed_in_user(services, request.app.state.rate_limit, session_id)
        require_csrf_token(request, session_id)
        return user_id
    return known_user(services, request.app.state.rate_limit, given.credentials if given else None)


def signed_in_user(services: Services, rate_limit: RateLimit, session_id: str) -> str:
    """The id of the user whose browser it is. Raises `Unauthenticated` and `RateLimited`."""
    user_id = session_of(services, session_id).user_id
    note(user=user_id)
    rate_limit.check(services, user_id)
    return user_id


def known_user(services: Services, rate_limit: RateLimit, key: str | None) -> str:
    """The id of the user whose key it is. Raises `Unauthenticated` and `RateLimited`."""
    if key is None:
        raise Unauthenticated("Send your API key: Authorization: Bearer KEY.", code="KEY_MISSING")
    with services.catalog.transaction() as tx:
        user_id = tx.users.owner_of(key)
    if user_id is None:
        raise Unauthenticated("This API key is not known.", code="KEY_UNKNOWN")
    note(user=user_id)
    rate_limit.check(services, user_id)
    return user_id


TheUser = Annotated[str, Depends(user_of)]


def as_seen_by(user_id: str, services: Services) -> Services:
    """The same services, whose catalog has nothing of anybody else: a query that forgets its user finds nothing."""
    return replace(services, catalog=services.catalog.of(user_id))


async def _users_services(services: TheServices, user_id: TheUser) -> Services:  # needs no thread
    return as_seen_by(user_id, services)


UsersServices = Annotated[Services, Depends(_users_services)]
"""For every route that takes a user's key."""


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
