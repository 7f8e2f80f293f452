"""The socket on which the worker will give the film out: made where the program is, used where the worker is."""

import os
import socket


def listen() -> socket.socket:
    """On a free port of the loopback that the program will see."""
    return socket.create_server(("127.0.0.1", 0), backlog=8)


def give(listener: socket.socket) -> None:
    """Through standard input, on which the program then finds nothing. Only the parent keeps the socket."""
    with socket.socket(fileno=0) as parent:
        socket.send_fds(parent, [b"."], [listener.fileno()])
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, parent.detach())
        os.close(nothing)
    listener.close()
