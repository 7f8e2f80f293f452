"""What the catalog promises about elections: `biblio.ports.leadership.Leadership`."""

import time
from collections.abc import Callable
from uuid import uuid4

import pytest

from biblio.errors import Unavailable
from biblio.ports.catalog import Catalog
from biblio.ports.leadership import Leadership
from tests.contracts.catalog_suite import CatalogSuite, at_once, eventually

STANDSTILL = 10.0


class LeadershipContract(CatalogSuite):
    """Needs the fixture `cut`, which ends every connection that the engine has."""

    @pytest.fixture
    def stand(self, catalog: Catalog) -> Callable[[], Leadership]:
        name = f"elected {uuid4().hex}"
        return lambda: catalog.leadership(name)

    def test_one_leads_at_a_time(self, catalog: Catalog, stand: Callable[[], Leadership]) -> None:
        candidates = [stand() for _ in range(8)]
        elected = at_once(8, lambda number: candidates[number].is_mine())
        assert elected.count(True) == 1
        assert [each.is_mine() for each in candidates] == elected, "who leads goes on"
        elsewhere = catalog.leadership("another office")
        assert elsewhere.is_mine()
        elsewhere.resign()
        for each in candidates:
            each.resign()

    def test_another_leads_when_the_leader_is_gone_or_stands_still_for_ten_seconds(
        self, stand: Callable[[], Leadership], cut: Callable[[], None]
    ) -> None:
        first, second, third = stand(), stand(), stand()
        assert (first.is_mine(), second.is_mine()) == (True, False)
        cut()
        assert eventually(3, second.is_mine)
        assert not first.is_mine(), "it hears that it leads no longer"
        for _ in range(3):
            time.sleep(STANDSTILL / 4)
            assert second.is_mine()
            assert not third.is_mine()
        began = time.monotonic()
        assert eventually(STANDSTILL + 3, third.is_mine)
        assert time.monotonic() - began > STANDSTILL - 4
        assert not second.is_mine()
        third.resign()

    def test_who_resigns_lets_another_lead_at_once_and_may_stand_again(self, stand: Callable[[], Leadership]) -> None:
        first, second = stand(), stand()
        second.resign()
        assert first.is_mine()
        first.resign()
        first.resign()
        assert eventually(3, second.is_mine)
        assert not first.is_mine()
        second.resign()
        assert eventually(3, first.is_mine)
        first.resign()

    def test_nobody_is_elected_by_an_engine_that_is_down(self, absent: Catalog) -> None:
        with pytest.raises(Unavailable):
            absent.leadership("office").is_mine()
