"""Sign a browser in and out."""

from typing import Any

from fastapi import APIRouter, Request, Response

from biblio.entrypoints.api.access import TheServices
from biblio.entrypoints.api.cookie import (
    COOKIE,
    SessionCookie,
    csrf_token,
    remove_cookie,
    require_csrf_token,
    require_own_origin,
    set_cookie,
)
from biblio.entrypoints.api.session_shapes import SignedIn, SignIn, WhoIsSignedIn
from biblio.errors import Unauthenticated
from biblio.pipeline.sign_in import session_of, sign_in, sign_out

router = APIRouter(prefix="/api/session", tags=["session"])


@router.post("", response_model=SignedIn)
def open_session(request: Request, response: Response, services: TheServices, body: SignIn) -> dict[str, Any]:
    """Sign this browser in with an API key, or with the one-time token that `biblio up` and `biblio link` print."""
    require_own_origin(request, browsers_only=True)  # or a stranger's page could sign you in as the stranger
    caller = request.client.host if request.client else "unknown"
    request.app.state.rate_limit.check(services, f"sign-in from {caller}")
    session_id = sign_in(services, key=body.key, token=body.token, before=request.cookies.get(COOKIE))
    set_cookie(request, response, session_id)
    return {"csrf_token": csrf_token(session_id)}


@router.get("", response_model=WhoIsSignedIn)
def session(request: Request, response: Response, services: TheServices, session_id: SessionCookie) -> dict[str, Any]:
    """Who is signed in here. The cookie is given anew, so that it lasts as long as the session."""
    known = _required(session_id)
    found = session_of(services, known)
    set_cookie(request, response, known)
    return {"csrf_token": csrf_token(known), "user_id": found.user_id, "name": found.name}


@router.delete("", status_code=204)
def close_session(request: Request, response: Response, services: TheServices, session_id: SessionCookie) -> None:
    """Sign this browser out. The session ends, so a copy of the cookie is of no use either."""
    known = _required(session_id)
    session_of(services, known)
    require_csrf_token(request, known)
    sign_out(services, known)
    remove_cookie(request, response)


def _required(session_id: str | None) -> str:
    if session_id is None:
        raise Unauthenticated("This browser is not signed in.", code="KEY_MISSING")
    return session_id
