"""The cookie of a browser that is signed in, and what proves that a call with it comes from our own page."""

import hmac
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.security import APIKeyCookie
from starlette.requests import HTTPConnection

from biblio.errors import NotPermitted
from biblio.pipeline.sign_in import SESSION_SECONDS

COOKIE = "biblio_session"
CSRF_HEADER = "X-CSRF-Token"
READING = {"GET", "HEAD", "OPTIONS"}

_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="Of a browser that is signed in.")
SessionCookie = Annotated[str | None, Depends(_cookie)]


def set_cookie(request: Request, response: Response, session_id: str) -> None:
    response.set_cookie(
        COOKIE,
        session_id,
        max_age=SESSION_SECONDS,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def remove_cookie(request: Request, response: Response) -> None:
    secure = request.url.scheme == "https"
    response.delete_cookie(COOKIE, path="/", secure=secure, httponly=True, samesite="strict")


def csrf_token(session_id: str) -> str:
    """Told to our page alone. Made of the session, which cannot be made of it again, so nothing is kept of it."""
    return hmac.digest(session_id.encode(), b"biblio csrf", "sha256").hex()


def require_csrf_token(request: Request, session_id: str) -> None:
    """Of every call that changes something, signed in by cookie. Raises `NotPermitted`.

    Browsers send cookies along with whatever any page asks for; SameSite holds back those of other sites, yet another
    port of this host is the same site.
    """
    if request.method in READING:
        return
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), csrf_token(session_id).encode()):
        message = f"Send the csrf_token of GET /api/session as {CSRF_HEADER}."
        raise NotPermitted(message, code="CSRF_TOKEN_WRONG")


def require_own_origin(connection: HTTPConnection, *, browsers_only: bool = False) -> None:
    """That a page of this server asks; with `browsers_only`, who names no origin is none. Raises `NotPermitted`."""
    origin = connection.headers.get("origin")
    if origin is None and browsers_only:
        return
    if origin is None or urlsplit(origin).netloc.lower() != connection.headers.get("host", "").lower():
        raise NotPermitted("Pages of other servers may not do this.", code="ORIGIN_NOT_ALLOWED")
