import stat
from pathlib import Path

import pytest

from biblio.errors import Conflict, Misconfigured, Unavailable
from biblio.local import loopback_ports
from biblio.local.folder import DataFolder
from biblio.local.loopback_ports import LoopbackPorts, is_free, wanted_port


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_private_and_nothing_above_it_changes(tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    parent.mkdir(mode=0o711)
    folder = DataFolder(parent / "data")
    folder.create()
    assert mode(folder.path) == 0o700
    assert mode(parent) == 0o711


def test_a_secret_is_made_once_and_private(data: DataFolder) -> None:
    first = data.secret("valkey")
    assert len(first) == 43
    assert DataFolder(data.path).secret("valkey") == first
    assert data.secret("other") != first
    assert mode(data.secrets / "valkey") == 0o600


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    before = mode(tmp_path)
    with pytest.raises(Misconfigured, match="holds other files"):
        DataFolder(tmp_path).create()
    assert mode(tmp_path) == before


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match="cannot be used"):
        DataFolder(tmp_path / "file").create()


def test_a_second_holder_is_told_about_the_first(data: DataFolder) -> None:
    with data.lock():
        data.write_addresses({"BIBLIO_QUEUE": "redis://x"}, "http://127.0.0.1:8123")
        with pytest.raises(Conflict, match=r"process \d+, its page is http://127.0.0.1:8123") as caught, data.lock():
            pass
        assert caught.value.code == "ALREADY_RUNNING"


def test_addresses_are_there_only_while_it_runs(data: DataFolder) -> None:
    assert data.read_addresses() is None
    with data.lock():
        assert data.read_addresses() is None
        data.write_addresses({"BIBLIO_QUEUE": "redis://x"}, "http://127.0.0.1:8123")
        running = data.read_addresses()
        assert running is not None
        assert running.addresses == {"BIBLIO_QUEUE": "redis://x"}
        assert running.page == "http://127.0.0.1:8123"
        assert mode(data.run / "addresses.json") == 0o600
    assert data.read_addresses() is None


def test_ports_are_remembered_while_free(data: DataFolder) -> None:
    data.create()
    first = LoopbackPorts(data)
    port = first.take("api")
    assert is_free(port)
    first.release()
    again = LoopbackPorts(data)
    assert again.take("api") == port
    assert again.take("other") != port
    again.release()


def test_who_starts_meanwhile_takes_other_ports(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    data.create()
    first, second = LoopbackPorts(data), LoopbackPorts(data)
    port = first.take("api")
    monkeypatch.setattr(loopback_ports, "CHOICE", range(port, port + 1))
    monkeypatch.setattr(loopback_ports, "ATTEMPTS", 1)
    with pytest.raises(Unavailable):
        second.take("other")
    first.release()
    assert second.take("other") == port
    second.release()


def test_a_taken_port_is_replaced_or_refused(data: DataFolder, taken_port: int) -> None:
    data.create()
    (data.run / "ports.json").write_text(f'{{"api": {taken_port}}}')
    assert LoopbackPorts(data).take("api") != taken_port
    with pytest.raises(Conflict) as caught:
        wanted_port(taken_port)
    assert caught.value.code == "PORT_TAKEN"
