"""A line that breaks on order: a TCP proxy on loopback, before any server.

Bytes pass as they are, so a signature holds as long as it was made for the proxy's own address.
"""

import asyncio
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

PIECE = 128 * 1024
WINDOW = 128 * 1024
"""Bytes that a connection's buffers take: as a real line, and unlike loopback, it holds no whole parts of a file that
their sender may believe to have sent."""
NO_LINGER = struct.pack("ii", 1, 0)  # close() then sends RST at once, and what was not delivered yet is lost


class Link:
    """One connection through the proxy."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._ends = (client, server)

    def reset(self) -> None:
        """Both ends get a TCP reset."""
        for end in self._ends:
            with suppress(OSError):  # one that has just been closed has nothing left to lose
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            end.transport.abort()

    def close(self) -> None:
        """Both ends see an orderly end, in the middle of whatever it was."""
        for end in self._ends:
            end.close()


Act = Callable[[Link], None]


@dataclass
class Trap:
    """Acts once: when `bytes_left` more bytes of clients have passed, or just before a request passes that begins like
    `request`. `sprung` is set when it has acted."""

    act: Act
    bytes_left: int = 0
    request: re.Pattern[bytes] | None = None
    sprung: threading.Event = field(default_factory=threading.Event)

    def spring(self, link: Link) -> None:
        self.act(link)
        self.sprung.set()


class FaultProxy:
    """Before `target` ("http://host:port"). A context manager; a thread of its own forwards.

    `up` and `down` count the bytes that passed from and to clients, `open` the connections there are. `delay` is in
    seconds, for every piece of at most 128 KiB.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        self.up = self.down = self.open = 0
        self.delay = 0.0
        self._held_until = self._refused_until = 0.0
        self._trap: Trap | None = None
        self._links: set[Link] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        listener = _listen()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving = asyncio.start_server(self._serve, sock=listener, limit=PIECE)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def at_byte(self, more: int, act: Act) -> Trap:
        """Act when exactly `more` (at least 1) further bytes have passed from clients, on the link of the last one."""
        self._trap = Trap(act, bytes_left=more)
        return self._trap

    def at_request(self, pattern: bytes, act: Act) -> Trap:
        """Act when a request comes that begins like `pattern` (a regular expression); then it passes, if it still can.

        Seen only at the start of a piece: right for clients that wait for an answer before they ask again.
        """
        self._trap = Trap(act, request=re.compile(pattern))
        return self._trap

    def cut(self, act: Act) -> int:
        """Act now, on every connection there is; how many."""

        async def cut() -> int:
            links = list(self._links)
            for link in links:
                act(link)
            return len(links)

        return asyncio.run_coroutine_threadsafe(cut(), self._loop).result()

    def disarm(self) -> None:
        self._trap = None

    def hold(self, seconds: float) -> None:
        """Nothing passes in either direction, on no connection."""
        self._held_until = time.monotonic() + seconds

    def refuse(self, seconds: float) -> None:
        """New connections are reset as soon as they are made."""
        self._refused_until = time.monotonic() + seconds

    async def _stop(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks(self._loop) - {asyncio.current_task(self._loop)}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # for what hears of their end

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        link: Link | None = None
        try:
            if time.monotonic() < self._refused_until:
                Link(writer, writer).reset()
                return
            far_reader, far_writer = await asyncio.open_connection(*self._target, limit=PIECE)
            link = Link(writer, far_writer)
            self._links.add(link)
            await asyncio.gather(self._upward(reader, far_writer, link), self._downward(far_reader, writer))
            link.close()
        except OSError:
            writer.close()
        finally:
            self.open -= 1
            if link is not None:
                self._links.discard(link)

    async def _upward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: Link) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                while piece:
                    trap = self._trap
                    if trap and trap.request and trap.request.match(piece):
                        self._trap = None
                        trap.spring(link)
                    await self._slow_down()
                    piece = await self._pass_on(piece, writer, link)
            writer.write_eof()

    async def _pass_on(self, piece: bytes, writer: asyncio.StreamWriter, link: Link) -> bytes:
        """The bytes that came after the one at which a trap sprang."""
        trap = self._trap
        due = trap is not None and trap.request is None and trap.bytes_left <= len(piece)
        now = piece[: trap.bytes_left] if trap and due else piece
        if trap and due:
            self._trap = None
        elif trap:
            trap.bytes_left -= len(piece)
        writer.write(now)
        await writer.drain()
        self.up += len(now)
        if trap and due:
            trap.spring(link)
        return piece[len(now) :]

    async def _downward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                await self._slow_down()
                self.down += len(piece)
                writer.write(piece)
                await writer.drain()
            writer.write_eof()

    async def _slow_down(self) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        while (left := self._held_until - time.monotonic()) > 0:
            await asyncio.sleep(left)


def _listen() -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)  # connections inherit it
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener
