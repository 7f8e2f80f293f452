"""Under which name a browser saves what it downloads."""

import re
from urllib.parse import quote


def attachment(file_name: str) -> str:
    """RFC 6266: the real name in UTF-8, and one that every program can read."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='', errors='replace')}"
