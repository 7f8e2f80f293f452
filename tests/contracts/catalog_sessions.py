"""What the catalog promises about browsers that are signed in: `biblio.ports.sessions.Sessions`."""

import time
from collections.abc import Callable
from uuid import uuid4

from biblio.ports.catalog import Catalog
from biblio.ports.sessions import Session
from tests.contracts.catalog_suite import CatalogSuite, at_once, new_user

DAY = 24 * 3600.0


class SessionsContract(CatalogSuite):
    def test_a_session_is_its_users_until_it_is_closed(self, catalog: Catalog) -> None:
        name, one, two = f"김철수 {uuid4().hex}", uuid4().hex, uuid4().hex
        with catalog.transaction() as tx:
            user = tx.users.add(name)
            tx.sessions.open(user, one, seconds=DAY)
            tx.sessions.open(user, two, seconds=DAY)
        with catalog.transaction() as tx:
            assert tx.sessions.find(one, seconds=DAY) == tx.sessions.find(two, seconds=DAY) == Session(user, name)
            assert tx.sessions.close(one)
            assert not tx.sessions.close(one)
        with catalog.transaction() as tx:
            assert tx.sessions.find(one, seconds=DAY) is None
            assert tx.sessions.find(two, seconds=DAY) is not None
            for wrong in ("", "\x00", "🔑", user, two.upper(), f"{two} "):
                assert tx.sessions.find(wrong, seconds=DAY) is None

    def test_a_session_ends_when_it_is_not_used_for_its_time(self, catalog: Catalog, user: str) -> None:
        used, unused = uuid4().hex, uuid4().hex
        with catalog.transaction() as tx:
            for session_id in (used, unused):
                tx.sessions.open(user, session_id, seconds=0.5)
            assert tx.sessions.find(used, seconds=DAY) is not None
        time.sleep(0.6)
        with catalog.transaction() as tx:
            assert tx.sessions.find(used, seconds=DAY) is not None
            assert tx.sessions.find(unused, seconds=DAY) is None
            assert not tx.sessions.close(unused)

    def test_a_token_is_spent_once_of_many_at_once_one_gets_it(self, catalog: Catalog, user: str) -> None:
        token = uuid4().hex
        with catalog.transaction() as tx:
            tx.sessions.give_token(user, token, seconds=DAY)

        def spend(_: int) -> str | None:
            with catalog.transaction() as tx:
                spent = tx.sessions.spend_token(token)
                time.sleep(0.02)
                return spent

        assert sorted(map(str, at_once(8, spend))) == sorted([user, *["None"] * 7])

    def test_a_token_that_is_too_old_is_worth_nothing(self, catalog: Catalog, user: str) -> None:
        with catalog.transaction() as tx:
            tx.sessions.give_token(user, token := uuid4().hex, seconds=0)
        with catalog.transaction() as tx:
            assert tx.sessions.spend_token(token) is None
            assert tx.sessions.spend_token(uuid4().hex) is None

    def test_only_digests_of_sessions_and_tokens_are_stored(
        self, catalog: Catalog, user: str, stored: Callable[[], dict[str, list[str]]]
    ) -> None:
        secrets = [f"secret {uuid4().hex}" for _ in range(2)]
        with catalog.transaction() as tx:
            tx.sessions.open(user, secrets[0], seconds=DAY)
            tx.sessions.give_token(user, secrets[1], seconds=DAY)
        rows = stored()
        assert all(any(user in row for row in rows[table]) for table in ("sessions", "sign_in_tokens"))
        everything = "\n".join(row for table in rows.values() for row in table)
        for secret in secrets:
            assert secret not in everything
            assert secret.encode().hex() not in everything

    def test_what_has_ended_is_forgotten(self, catalog: Catalog, user: str) -> None:
        with catalog.transaction() as tx:
            tx.sessions.open(user, session_id := uuid4().hex, seconds=DAY)
            tx.sessions.give_token(user, token := uuid4().hex, seconds=DAY)
            tx.sessions.open(user, uuid4().hex, seconds=0)
            tx.sessions.give_token(user, uuid4().hex, seconds=0)
        with catalog.transaction() as tx:
            assert tx.sessions.forget() >= 2
        with catalog.transaction() as tx:
            assert tx.sessions.forget() == 0
            assert tx.sessions.find(session_id, seconds=DAY) is not None
            assert tx.sessions.spend_token(token) == user

    def test_as_another_user_sees_it_no_session_is_there(self, catalog: Catalog, user: str) -> None:
        with catalog.transaction() as tx:
            tx.sessions.open(user, session_id := uuid4().hex, seconds=DAY)
            tx.sessions.give_token(user, token := uuid4().hex, seconds=DAY)
        with catalog.of(new_user(catalog)).transaction() as tx:
            assert tx.sessions.find(session_id, seconds=DAY) is None
            assert tx.sessions.spend_token(token) is None
