"""What the catalog promises about users and their keys: `biblio.ports.users.Users`."""

import time
from collections.abc import Callable
from uuid import uuid4

import pytest

from biblio.domain.flow import Status
from biblio.errors import Conflict
from biblio.ports.catalog import Catalog
from tests.contracts.catalog_suite import CatalogSuite, add_video, at_once, made_up, new_user


class UsersContract(CatalogSuite):
    def test_a_key_belongs_to_the_user_it_was_made_for(self, catalog: Catalog, user: str) -> None:
        other, key, second = new_user(catalog), f"key {uuid4().hex}", f"열쇠 {uuid4().hex}"
        with catalog.transaction() as tx:
            tx.users.give_key(user, key)
            tx.users.give_key(user, second)
        with catalog.transaction() as tx:
            assert (tx.users.owner_of(key), tx.users.owner_of(second)) == (user, user)
            tx.users.give_key(other, key)
            assert tx.users.owner_of(key) == user

    def test_a_key_given_before_is_given_again_without_complaint(self, catalog: Catalog, user: str) -> None:
        for _ in range(2):
            with catalog.transaction() as tx:
                tx.users.give_key(user, f"key of {user}")
        with catalog.transaction() as tx:
            assert tx.users.owner_of(f"key of {user}") == user

    def test_an_unknown_key_belongs_to_nobody(self, catalog: Catalog, user: str) -> None:
        with catalog.transaction() as tx:
            tx.users.give_key(user, f"key of {user}")
            for wrong in ("", f"key of {user} ", f"KEY OF {user}", user, "' OR 1=1 --", "\x00", "🔑"):
                assert tx.users.owner_of(wrong) is None

    def test_only_a_keys_digest_is_stored(
        self, catalog: Catalog, user: str, stored: Callable[[], dict[str, list[str]]]
    ) -> None:
        key = f"sk_{uuid4().hex}"
        with catalog.transaction() as tx:
            tx.users.give_key(user, key)
        everything = "\n".join(row for rows in stored().values() for row in rows)
        assert user in everything
        assert key not in everything
        assert key.encode().hex() not in everything

    def test_a_user_name_is_taken_once(self, catalog: Catalog) -> None:
        name = f"김철수 {uuid4().hex}"

        def add(_: int) -> str | None:
            try:
                with catalog.transaction() as tx:
                    return tx.users.add(name)
            except Conflict:
                return None

        added = [user_id for user_id in at_once(16, add) if user_id is not None]
        with catalog.transaction() as tx:
            assert [tx.users.id_of(name)] == added
            assert tx.users.id_of(name + "?") is None
            with pytest.raises(Conflict) as caught:
                tx.users.add(name)
        assert caught.value.code == "USER_EXISTS"

    def test_stored_bytes_are_counted_with_those_on_their_way_of_this_user_only(
        self, catalog: Catalog, user: str
    ) -> None:
        for number, status in enumerate(Status):
            add_video(catalog, user, status=status, file_size=10**number)
        for status in (Status.CANCELED, Status.DELETING):  # one was canceled after its bytes had come
            add_video(catalog, user, status=status, file_size=5 * 10**15, etag='"0123"')
        add_video(catalog, new_user(catalog))
        counted = [10**n for n, status in enumerate(Status) if status not in ("CANCELED", "EXPIRED", "DELETING")]
        with catalog.transaction() as tx:
            assert tx.users.stored(user) == sum(counted) + 5 * 10**15
            assert tx.users.stored(new_user(catalog)) == 0
            assert (tx.users.usage(user).uploading, tx.users.usage(user).next_expiry) == (1, None)

    def test_usage_tells_when_the_first_upload_ends_by_itself(self, catalog: Catalog, user: str) -> None:
        waiting = [add_video(catalog, user, status=Status.UPLOADING) for _ in range(3)]
        with catalog.transaction() as tx:
            ends = [tx.uploads.add(video.id, seconds=60.0 * n).expires_at for n, video in enumerate(waiting, 1)]
            usage = tx.users.usage(user)
        assert (usage.uploading, usage.next_expiry) == (3, ends[0])

    def test_usage_holds_other_transactions_off_until_this_one_ends(self, catalog: Catalog, user: str) -> None:
        def add_if_alone(_: int) -> bool:
            with catalog.transaction() as tx:
                if tx.users.usage(user).uploading:
                    return False
                time.sleep(0.05)
                tx.videos.add(made_up(user, status=Status.UPLOADING))
                return True

        assert sum(at_once(10, add_if_alone)) == 1
