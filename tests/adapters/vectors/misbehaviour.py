"""What a service over HTTP does wrong on order, and what an adapter makes of it."""

import re
import traceback
from collections.abc import Callable

import pytest

from biblio.errors import AdapterError, Misconfigured, RateLimited, Rejected, Unavailable
from tests.emulators.faults import CUT, DROP, LOSE, Fault
from tests.emulators.json_service import JsonService

MISBEHAVIOUR: list[tuple[int, type[AdapterError]]] = [
    (DROP, Unavailable),
    (CUT, Unavailable),
    (LOSE, Unavailable),
    (400, Rejected),
    (401, Misconfigured),
    (403, Misconfigured),
    (404, Misconfigured),
    (408, Unavailable),
    (413, Rejected),
    (429, RateLimited),
    (500, Unavailable),
    (502, Unavailable),
    (503, Unavailable),
    (504, Unavailable),
]

RETRY_AFTER = [("7", 7.0), (None, None), ("Wed, 21 Oct 2015 07:28:00 GMT", None)]


def provoked(service: JsonService, fault: Fault, call: Callable[[], object]) -> AdapterError:
    """What is raised where the service does that; it is asked only once, and its key stands nowhere."""
    service.faults.append(fault)
    service.calls.clear()
    with pytest.raises(AdapterError) as caught:
        call()
    assert len([one for one in service.calls if re.fullmatch(fault.pattern, one)]) == 1
    assert service.key not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    return caught.value
