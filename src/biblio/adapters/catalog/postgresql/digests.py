"""What is stored of keys, sessions and tokens."""

import hashlib


def digest(secret: str) -> bytes:
    """They are long and random, so one plain hash is enough: there is no dictionary to try."""
    return hashlib.sha256(secret.encode()).digest()
