"""The files supervisord runs from: its configuration and one launch file for each program."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from biblio.local import launch, orphans
from biblio.local.folder import DataFolder, write_private
from biblio.local.program import Program

CONF = "run/supervisord.conf"  # paths are relative to the data folder, supervisord's working folder
OWN_LOG = "logs/supervisord.log"

# Values that may hold any character (' ;' starts a comment, '%' an expansion) come from supervisord's environment.
SERVER = f"""\
[supervisord]
nodaemon=true
silent=true
umask=077
nocleanup=true
pidfile=run/supervisord.pid
childlogdir=run
logfile={OWN_LOG}
logfile_maxbytes=2MB
logfile_backups=1

[unix_http_server]
file=%(ENV_LOCAL_SOCKET)s
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

# What ends within 10 s is started again after 1, 2, 3… seconds, what ends later at once. The stop signal goes to the
# program alone, which knows how to end its own children; SIGKILL afterwards goes to the whole group.
PROGRAM = """
[program:{name}]
command="%(ENV_LOCAL_PYTHON)s" -I -S "%(ENV_LOCAL_LAUNCH)s" run/launch-{name}.json
autostart=false
autorestart=true
startsecs=10
startretries=20
stopsignal={stop_signal}
stopwaitsecs={stop_seconds}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile=logs/{name}.log
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=3
"""


def write(folder: DataFolder, programs: Sequence[Program], socket: Path) -> list[str]:
    """Writes them all, 0600, and returns the command that starts supervisord."""
    sections = [SERVER, *(_section(program) for program in programs)]
    write_private(folder.path / CONF, "".join(sections))
    for program in programs:
        write_launch(folder, program)
    return write_launch(folder, _supervisord(folder, socket))


def _section(program: Program) -> str:
    seconds = max(1, round(program.stop_seconds))
    return PROGRAM.format(name=program.name, stop_signal=program.stop_signal, stop_seconds=seconds)


def _supervisord(folder: DataFolder, socket: Path) -> Program:
    env = {"LOCAL_PYTHON": sys.executable, "LOCAL_LAUNCH": launch.__file__, "LOCAL_SOCKET": str(socket)}
    argv = [sys.executable, "-P", "-m", "supervisor.supervisord", "-n", "-c", CONF]
    return Program("supervisord", argv, env, cwd=folder.path)


def write_launch(folder: DataFolder, program: Program) -> list[str]:
    """Writes `run/launch-<name>.json` and returns the command that reads it."""
    path = folder.run / f"launch-{program.name}.json"
    spec = {
        "argv": list(program.argv),
        "env": {**program.env, **orphans.mark(folder.path)},
        "inherit_env": program.inherit_env,
        "cwd": str(program.cwd or folder.path),
        "niceness": program.niceness,
        "parent_signal": program.stop_signal,
    }
    write_private(path, json.dumps(spec, indent=1))
    return [sys.executable, "-I", "-S", launch.__file__, str(path)]


def remove_launches(folder: DataFolder) -> None:
    """They hold passwords, so they go when nothing runs any more."""
    for path in folder.run.glob("launch-*.json"):
        path.unlink(missing_ok=True)
