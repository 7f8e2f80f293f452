"""A server on a real socket that behaves badly on order."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Behaviour = Callable[[socket.socket], None]


@contextmanager
def rude_server(behave: Behaviour) -> Iterator[str]:
    """`http://127.0.0.1:port` of a server that answers each connection's first request with `behave`, then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, behave), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            # Closing alone does not wake an accept() in another thread.
            listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, behave: Behaviour) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection, behave), daemon=True).start()


def _answer(connection: socket.socket, behave: Behaviour) -> None:
    with connection:
        _read_request(connection)
        behave(connection)


def _read_request(connection: socket.socket) -> None:
    seen = b""
    while b"\r\n\r\n" not in seen:
        seen += connection.recv(65536)
    head, _, body = seen.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    if b"100-continue" in head:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    while len(body) < length:
        body += connection.recv(65536)


def answers(status: str, body: str = "", *headers: str) -> Behaviour:
    """Answers `status` ("503 Slow Down") with `body`, and nothing out of place."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers])
    return lambda connection: connection.sendall(f"{head}\r\n\r\n{body}".encode())


def error(status: str, code: str, *headers: str) -> Behaviour:
    """Answers with S3's error document."""
    return answers(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>", *headers)


def says_nothing(connection: socket.socket) -> None:
    connection.recv(1)


def hangs_up(connection: socket.socket) -> None:
    """Closes without a word."""


def breaks_off(connection: socket.socket) -> None:
    """Promises 1,000 bytes and sends 100."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + bytes(100))


def stops_midway(connection: socket.socket) -> None:
    """Promises 1,000 bytes, sends 100 and keeps the line open."""
    breaks_off(connection)
    connection.recv(1)


def talks_rubbish(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
