"""What whoever calls a service for money is promised (ports/call.py)."""

from concurrent.futures import ThreadPoolExecutor

from biblio.domain.rate_limit import RateLimit
from biblio.ports.call import CallContext

PLENTY = RateLimit("contract", calls=60_000, units=6_000_000, at_once=8)


class CallContract:
    """Needs the fixture `call`."""

    def test_what_was_noted_is_recalled_by_its_name_alone(self, call: CallContext) -> None:
        assert call.recall("0-600") is None
        call.note("0-600", "operations/1")
        call.note("600-1200", "operations/2")
        call.note("0-600", "operations/3")
        assert (call.recall("0-600"), call.recall("600-1200")) == ("operations/3", "operations/2")
        assert call.recall("1200-1800") is None

    def test_an_empty_note_forgets_what_was_noted(self, call: CallContext) -> None:
        call.note("0-600", "operations/1")
        call.note("0-600", "")
        call.note("600-1200", "")
        assert (call.recall("0-600"), call.recall("600-1200")) == (None, None)

    def test_a_call_is_made_once_it_is_admitted(self, call: CallContext) -> None:
        made: list[int] = []

        def ask(number: int) -> None:
            with call.admit(PLENTY, 10.0):
                made.append(number)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(ask, range(20)))
        assert sorted(made) == list(range(20))
