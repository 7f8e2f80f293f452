"""The JSON of signing in."""

from typing import Annotated, Self

from pydantic import BaseModel, StringConstraints, model_validator

from biblio.entrypoints.api.shapes import PRINTABLE, Request


class SignIn(Request):
    """One of both."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)] | None = None
    token: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.key is None) == (self.token is None):
            raise ValueError("Send either a key or a token.")
        return self


class SignedIn(BaseModel):
    """`csrf_token` goes into the header X-CSRF-Token of every call that changes something."""

    csrf_token: str


class WhoIsSignedIn(SignedIn):
    user_id: str
    name: str
