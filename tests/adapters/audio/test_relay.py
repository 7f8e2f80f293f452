"""The hand-over and what a RIFF file says about its own length."""

import socket

import pytest

from biblio.adapters.audio.relay import Relay
from biblio.adapters.audio.riff import missing_bytes
from biblio.adapters.audio.tape import Tape
from tests.contracts.films import BytesSource


class TestRelay:
    def _ask(self, place: tuple[str, int], path: str, head: str = "") -> bytes:
        with socket.create_connection(place, timeout=5) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
            answer = b""
            while data := connection.recv(65536):
                answer += data
        return answer

    def test_it_gives_the_asked_range_and_only_at_its_secret_path(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        place = listener.getsockname()
        with Relay(Tape(BytesSource(b"0123456789")), listener, "/secret") as relay:
            part = self._ask(place, "/secret", "Range: bytes=4-\r\n")
            assert part.startswith(b"HTTP/1.1 206 ")
            assert b"Content-Range: bytes 4-9/10" in part
            assert part.endswith(b"\r\n\r\n456789")
            assert self._ask(place, "/secret", "Range: bytes=10-\r\n").startswith(b"HTTP/1.1 416 ")
            assert self._ask(place, "/").startswith(b"HTTP/1.1 404 ")
            assert self._ask(place, "/%C3%A9\u00e9").startswith(b"HTTP/1.1 404 ")
            assert relay.failure is None
        assert listener.fileno() == -1


class TestRiff:
    def _missing(self, data: bytes) -> int:
        return missing_bytes(lambda start: data[start : start + 5], len(data))

    def test_a_whole_file_lacks_nothing_and_a_cut_one_its_rest(self) -> None:
        whole = b"RIFF" + (300_000).to_bytes(4, "little") + bytes(300_000)
        assert self._missing(whole) == 0
        assert self._missing(whole + b"junk after it") == 0
        assert self._missing(whole[:100_000]) == 200_008
        assert self._missing(whole + whole[:100_000]) == 200_008  # cut in the second chunk of a long AVI

    @pytest.mark.parametrize("stated", [0, 0xFFFF_FFFF, 0x7FFF_FFFF])
    def test_a_recorder_that_could_not_go_back_says_nothing(self, stated: int) -> None:
        assert self._missing(b"RIFF" + stated.to_bytes(4, "little") + bytes(100)) == 0
