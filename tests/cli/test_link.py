"""`biblio link` on a whole running library: the link signs one browser in."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.conftest import Server


def link(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "biblio", "link", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_link_signs_one_browser_in(server: Server) -> None:
    printed = link("--data", str(server.folder.path))
    assert printed.returncode == 0, printed.stderr
    address = urlsplit(printed.stdout.strip())
    assert f"{address.scheme}://{address.netloc}" == server.url
    name, _, token = address.fragment.partition("=")
    assert (name, address.path) == ("token", "/")
    with httpx.Client(base_url=server.url) as browser:
        assert browser.post("/api/session", json={"token": token}).status_code == 200
        assert browser.get("/api/session").json()["name"] == "local"
        assert browser.post("/api/session", json={"token": token}).json()["code"] == "TOKEN_UNKNOWN"
    logs = "".join(path.read_text(errors="replace") for path in server.folder.logs.iterdir() if path.is_file())
    assert logs
    assert token not in logs


def test_without_a_running_library_it_says_so(tmp_path: Path) -> None:
    printed = link("--data", str(tmp_path / "none"))
    assert printed.returncode == 1
    assert "biblio is not running" in printed.stderr
