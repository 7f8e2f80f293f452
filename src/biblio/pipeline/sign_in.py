"""A browser signs in once, with a key or a one-time token, and is known by its session from then on."""

import secrets

from biblio.errors import Unauthenticated
from biblio.pipeline.services import Services
from biblio.ports.sessions import Session

SESSION_SECONDS = 30 * 24 * 3600
"""Since it was last used."""
TOKEN_SECONDS = 24 * 3600


def new_token(services: Services, user_id: str) -> str:
    """A token that signs one browser in."""
    token = secrets.token_urlsafe(32)
    with services.catalog.transaction() as tx:
        tx.sessions.give_token(user_id, token, seconds=TOKEN_SECONDS)
    return token


def sign_in(services: Services, *, key: str | None, token: str | None, before: str | None = None) -> str:
    """The id of a new session, in the place of the one there was `before`. Raises `Unauthenticated`."""
    session_id = secrets.token_urlsafe(32)
    with services.catalog.transaction() as tx:
        user_id = tx.users.owner_of(key) if key is not None else tx.sessions.spend_token(token or "")
        if user_id is None and key is not None:
            raise Unauthenticated("This API key is not known.", code="KEY_UNKNOWN")
        if user_id is None:
            message = "This link was used already, or is too old: `biblio link` prints another."
            raise Unauthenticated(message, code="TOKEN_UNKNOWN")
        tx.sessions.open(user_id, session_id, seconds=SESSION_SECONDS)
        if before is not None:
            tx.sessions.close(before)
    return session_id


def session_of(services: Services, session_id: str) -> Session:
    """Raises `Unauthenticated` when it is not open, or not any more."""
    with services.catalog.transaction() as tx:
        session = tx.sessions.find(session_id, seconds=SESSION_SECONDS)
    if session is None:
        raise Unauthenticated("This browser is not signed in any more: sign in again.", code="KEY_MISSING")
    return session


def sign_out(services: Services, session_id: str) -> None:
    with services.catalog.transaction() as tx:
        tx.sessions.close(session_id)
