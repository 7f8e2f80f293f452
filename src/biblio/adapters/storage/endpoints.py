"""Options that say where a storage is called."""

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator


def _endpoint(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.path.strip("/"):
        raise ValueError("looks like https://host:port, without a path and without credentials")
    return f"{parts.scheme}://{parts.netloc}"


Endpoint = Annotated[str, AfterValidator(_endpoint)]


def is_loopback(endpoint: str) -> bool:
    """Whether it is this machine, which no proxy for the world outside can reach."""
    host = urlsplit(endpoint).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
