"""What every storage promises about what it really holds: one test for each line of `biblio.ports.inventory.Inventory`.

An adapter's test file subclasses `InventoryContract` and supplies the fixture `storage`.
"""

import io
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from uuid import uuid4

import pytest

from biblio.ports.storage import Storage, StoredObject
from tests.contracts.multipart import begin, put

MORE_THAN_A_PAGE = 1_010


class InventoryContract:
    @pytest.fixture
    def folder(self, storage: Storage) -> Iterator[str]:
        """A prefix that belongs to one test."""
        storage.prepare()
        prefix = f"inventory/{uuid4().hex}/"
        yield prefix
        storage.remove(prefix)

    def test_every_object_below_a_prefix_is_listed_once_past_a_page_too(self, storage: Storage, folder: str) -> None:
        names = [f"v1/{number % 7}/{number:04}" for number in range(MORE_THAN_A_PAGE)]
        random.shuffle(names)
        with ThreadPoolExecutor(8) as pool:
            written = list(pool.map(lambda name: _write(storage, folder + name), names))
        _write(storage, folder + "v10/0000")
        begin(storage, folder + "v1/unfinished")
        listed = list(storage.inventory.objects(folder + "v1/"))
        assert sorted(listed, key=lambda one: one.key) == [
            replace(one, content_type="") for one in sorted(written, key=lambda one: one.key)
        ]
        assert len(list(islice(storage.inventory.objects(folder), 3))) == 3, "no more is asked for than is wanted"

    def test_objects_of_any_name_are_listed_as_they_were_written(self, storage: Storage, folder: str) -> None:
        names = ["강의 <&>.json", "a+b%2F.mp3", "deep/er/x", "ends with space ", "deep.er", "=?*'\"~"]
        for name in names:
            _write(storage, folder + name)
        listed = [one.key for one in storage.inventory.objects(folder)]
        assert sorted(listed) == sorted(folder + name for name in names)
        deep = {one.key for one in storage.inventory.objects(folder + "deep")}
        assert deep == {folder + "deep.er", folder + "deep/er/x"}
        assert list(storage.inventory.objects(folder + "nothing/")) == []

    def test_every_unfinished_upload_below_a_prefix_is_listed(self, storage: Storage, folder: str) -> None:
        names = ["v1/original.mp4", "v1/original.mp4", "v1/강의 1/a.mp4"]
        begun = [(folder + name, begin(storage, folder + name)) for name in names]
        beside = (folder + "v10/a.mp4", begin(storage, folder + "v10/a.mp4"))
        ended = [(folder + name, begin(storage, folder + name)) for name in ("v1/whole.mp4", "v1/aborted.mp4")]
        put(storage, *ended[0], 1, b"abc")
        storage.multipart.complete(*ended[0], storage.multipart.parts(*ended[0]))
        storage.multipart.abort(*ended[1])
        assert sorted(storage.inventory.uploads(folder + "v1/")) == sorted(begun)
        assert sorted(storage.inventory.uploads(folder)) == sorted([*begun, beside])
        assert list(storage.inventory.uploads(folder + "nothing/")) == []

    def test_unfinished_uploads_are_listed_past_a_page_too(self, storage: Storage, folder: str) -> None:
        with ThreadPoolExecutor(8) as pool:
            keys = [f"{folder}{number % 9}/{number}.mp4" for number in range(MORE_THAN_A_PAGE)]
            begun = list(pool.map(lambda key: (key, begin(storage, key)), keys))
        assert sorted(storage.inventory.uploads(folder)) == sorted(begun)
        storage.multipart.clear(folder)
        assert list(storage.inventory.uploads(folder)) == []


def _write(storage: Storage, key: str) -> StoredObject:
    return storage.write(key, io.BytesIO(key.encode()), content_type="video/mp4")
