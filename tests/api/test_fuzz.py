"""Schemathesis over the whole OpenAPI document: whatever is sent, no 5xx and no answer that breaks the document."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.api.conftest import Api, running_api

# Left out: `positive_data_acceptance` (that a language exists, or a cursor was given, no schema can say).
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ignored_auth",
)
ELSEWHERE = ("/readyz", "/api/storage-events")
"""Says 503 when no worker lives, as here; has a secret of its own. See tests/local."""


@pytest.fixture(scope="module")
def fuzzed(addresses: Mapping[str, str]) -> Iterator[Api]:
    with running_api(addresses, REQUEST_RATE="100000", MAX_UPLOADS="1000000") as api:
        api.services.vectors.prepare()
        yield api


@pytest.mark.timeout(3600)
def test_no_call_breaks_the_api_or_its_document(fuzzed: Api, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    calls, seed = request.config.getoption("--fuzz-calls"), request.config.getoption("--fuzz-seed")
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{fuzzed.http.base_url}/api/openapi.json"]
    command += ["--header", f"Authorization: {fuzzed.http.headers['Authorization']}", "--checks", ",".join(CHECKS)]
    command += ["--max-examples", str(calls), "--continue-on-failure", "--no-color", "--warnings", "off"]
    command += [word for path in ELSEWHERE for word in ("--exclude-path", path)]
    command += ["--seed", str(seed)] if seed is not None else []
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    print(done.stdout[-2000:])
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert fuzzed.http.get("/healthz").status_code == 200
