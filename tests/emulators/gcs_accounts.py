"""Who may call the emulator of Google Cloud Storage: a service account, its tokens and what it signed."""

import base64
import hashlib
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.emulators.gcs_store import Refusal

EMAIL = "biblio@lectures.iam.gserviceaccount.com"
OUTSIDE_TOKEN = "a-token-of-another-cloud"
LONGEST = 604_800


@dataclass
class Account:
    """A service account with a new key."""

    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    tokens: set[str] = field(default_factory=set)

    def write_key_file(self, folder: Path, url: str) -> Path:
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        content = {"type": "service_account", "project_id": "lectures", "private_key_id": "1", "private_key": pem}
        path = folder / "service-account.json"
        path.write_text(json.dumps({**content, "client_email": EMAIL, "token_uri": f"{url}/token"}))
        return path

    def grant(self, form: Mapping[str, str]) -> str:
        """A token, for an assertion that this account signed or for one of another cloud."""
        if form.get("subject_token") != OUTSIDE_TOKEN:
            self._check_assertion(form.get("assertion", ""))
        token = f"ya29.{secrets.token_urlsafe(16)}"
        self.tokens.add(token)
        return token

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message, padding.PKCS1v15(), SHA256())

    def is_signed(self, message: bytes, signature: bytes) -> bool:
        try:
            self.key.public_key().verify(signature, message, padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    def _check_assertion(self, assertion: str) -> None:
        signed, _, signature = assertion.rpartition(".")
        if signed.count(".") != 1 or not self.is_signed(signed.encode(), _from_base64(signature)):
            raise Refusal(400, "invalid_grant", "Invalid JWT Signature.")
        claims = json.loads(_from_base64(signed.partition(".")[2]))
        if claims["iss"] != EMAIL or not claims["iat"] - 60 <= time.time() < claims["exp"]:
            raise Refusal(400, "invalid_grant", "Invalid JWT.")


def check_signature(account: Account, method: str, path: str, query: str, headers: Mapping[str, str]) -> None:
    """Raises `Refusal` unless the account signed this request (V4) and it has not expired."""
    asked = dict(parse_qsl(query, keep_blank_values=True))
    signature = asked.pop("X-Goog-Signature", "")
    signed = asked.get("X-Goog-SignedHeaders", "").split(";")
    given = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    _check_headers(signed, given)
    lines = [f"{name}:{given[name]}" for name in signed]
    payload = given.get("x-goog-content-sha256", "UNSIGNED-PAYLOAD")
    sorted_query = "&".join(sorted(f"{quote(one, safe='~')}={quote(value, safe='~')}" for one, value in asked.items()))
    canonical = "\n".join([method, path, sorted_query, *lines, "", ";".join(signed), payload])
    scope = f"{asked.get('X-Goog-Date', '')[:8]}/auto/storage/goog4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    message = "\n".join(["GOOG4-RSA-SHA256", asked.get("X-Goog-Date", ""), scope, digest])
    is_hex = re.fullmatch("([0-9a-f]{2})+", signature)
    if asked.get("X-Goog-Credential") != f"{EMAIL}/{scope}" or not is_hex:
        raise Refusal(403, "AccessDenied")
    if not account.is_signed(message.encode(), bytes.fromhex(signature)):
        raise Refusal(403, "SignatureDoesNotMatch")
    _check_time(asked["X-Goog-Date"], int(asked["X-Goog-Expires"]))


def _check_headers(signed: list[str], given: Mapping[str, str]) -> None:
    if [name for name in signed if name not in given]:
        raise Refusal(400, "MalformedSecurityHeader", "Header was included in signedheaders, but not in the request.")
    if "host" not in signed or [name for name in given if name.startswith("x-goog-") and name not in signed]:
        raise Refusal(403, "SignatureDoesNotMatch", "Not every header that must be signed is.")


def _check_time(date: str, seconds: int) -> None:
    age = time.time() - datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    if seconds > LONGEST:
        raise Refusal(400, "AuthorizationQueryParametersError")
    if not -900 < age < seconds:
        raise Refusal(400, "ExpiredToken", "The provided token has expired.")


def _from_base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
