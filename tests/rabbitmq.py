"""A RabbitMQ of the tests' own: Debian's server, started as a private node, which no system service knows of.

Everything listens on loopback, at ports of its own (its port mapper, epmd, too), so it runs beside any other node, as
root or not.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

BIN = Path("/usr/lib/rabbitmq/bin")
START_SECONDS = 60.0
NODE = "biblio@localhost"
MATURITY = 6.0
"""Seconds. A quorum queue that is younger than about 3 s at kill -9 takes no messages after the restart until somebody
deletes it: that is RabbitMQ 3.10.8 itself."""

CONF = """\
listeners.tcp.1 = 127.0.0.1:{port}
default_user = biblio
default_pass = {password}
vm_memory_high_watermark.absolute = 500MB
disk_free_limit.absolute = 1MB
raft.wal_max_size_bytes = 16777216
log.console = true
log.console.level = warning
log.file = {log}
log.file.level = warning
"""
ADVANCED = "[{{rabbit, [{{channel_tick_interval, {tick}}}, {{consumer_timeout, {consumer_timeout}}}]}}].\n"


class RabbitMQ:
    """One node in `folder`; what it acknowledged outlives `kill` and `start`. Ends with `stop`.

    `consumer_timeout`: seconds a message may stay unacknowledged; the server looks every `tick` seconds.
    """

    def __init__(self, folder: Path, *, consumer_timeout: float = 1800, tick: float = 60) -> None:
        self._folder = folder
        self.port, self._epmd_port, self._node_port = _free_ports(3)
        self._password = secrets.token_urlsafe(16)
        self._server: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self.log_file = folder / "rabbitmq.log"
        folder.mkdir(mode=0o700, exist_ok=True)
        conf = CONF.format(port=self.port, password=self._password, log=self.log_file)
        (folder / "rabbitmq.conf").write_text(conf)
        advanced = ADVANCED.format(tick=round(tick * 1000), consumer_timeout=round(consumer_timeout * 1000))
        (folder / "advanced.config").write_text(advanced)
        (folder / "enabled_plugins").write_text("[].\n")

    @property
    def address(self) -> str:
        return f"amqp://biblio:{self._password}@127.0.0.1:{self.port}//"

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def start(self) -> None:
        """Returns once it takes connections."""
        if self._epmd is None:
            command = ["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"]
            self._epmd = subprocess.Popen(command, env=self._environment(), start_new_session=True)
        with (self._folder / "out").open("ab") as out:
            self._server = subprocess.Popen(
                [BIN / "rabbitmq-server"], env=self._environment(), stdout=out, stderr=out, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            is_starting = self._server.poll() is None and time.monotonic() < deadline
            assert is_starting, (self._folder / "out").read_text()
            time.sleep(0.1)

    def kill(self) -> None:
        """With -9."""
        if self._server is not None:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._server = None

    def freeze(self) -> None:
        """It holds its connections and answers nothing, until `thaw`.

        Returns once it does: a signal stops a process's threads one after the other, and on a busy machine the rest of
        them answer meanwhile.
        """
        assert self._server is not None
        os.killpg(self._server.pid, signal.SIGSTOP)
        deadline = time.monotonic() + 10
        while not all(_stands_still(pid) for pid in _group(self._server.pid)):
            assert time.monotonic() < deadline, "it goes on in spite of SIGSTOP"
            time.sleep(0.01)

    def thaw(self) -> None:
        assert self._server is not None
        os.killpg(self._server.pid, signal.SIGCONT)

    def control(self, *arguments: str) -> str:
        """What rabbitmqctl answers; it takes seconds."""
        command = [str(BIN / "rabbitmqctl"), "--node", NODE, "--quiet", *arguments]
        done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    def alarm(self) -> None:
        """As when its memory is full: whoever publishes is blocked, until `relieve`."""
        self.control("set_vm_memory_high_watermark", "absolute", "1")

    def relieve(self) -> None:
        self.control("set_vm_memory_high_watermark", "absolute", "500MB")

    def stop(self) -> None:
        self.kill()
        if self._epmd is not None:
            self._epmd.terminate()
            self._epmd.wait()
            self._epmd = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as line:
                line.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(line.recv(1))
        except OSError:
            return False

    def _environment(self) -> Mapping[str, str]:
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self._folder),  # where its cookie is
            "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_DIST_PORT": str(self._node_port),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self._folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(self._folder / "pid"),
            # One scheduler that does not spin: the tests share two cores with it.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none "
            "-kernel inet_dist_use_interface {127,0,0,1}",
        }


@contextmanager
def running(folder: Path, *, consumer_timeout: float = 1800, tick: float = 60) -> Iterator[RabbitMQ]:
    """A started node, gone with its folder at the end."""
    node = RabbitMQ(folder, consumer_timeout=consumer_timeout, tick=tick)
    try:
        node.start()
        yield node
    finally:
        node.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _group(leader: int) -> list[int]:
    """The processes of a group."""
    pids = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
    return [pid for pid in pids if _field(Path(f"/proc/{pid}/stat"), 2) == str(leader)]


def _stands_still(pid: int) -> bool:
    """All threads of it, or it has ended."""
    states = {_field(thread / "stat", 0) for thread in Path(f"/proc/{pid}/task").glob("*")}
    return states <= {"T", "Z", ""}


def _field(stat: Path, number: int) -> str:
    """Of what follows the name in a file of /proc; "" of a process that has just ended."""
    try:
        return stat.read_text().rpartition(")")[2].split()[number]
    except OSError:
        return ""


def _free_ports(count: int) -> list[int]:
    """Held open together, so that they differ."""
    holders = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(holder.getsockname()[1]) for holder in holders]
    for holder in holders:
        holder.close()
    return ports
