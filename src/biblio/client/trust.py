"""Whom a connection trusts, and when it asks a proxy."""

import ssl
from functools import cache

import httpx

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""A proxy set for the machine is never asked about the machine itself."""


@cache
def trust() -> ssl.SSLContext:
    """Read once: it takes longer than a small part does."""
    return httpx.create_ssl_context()
