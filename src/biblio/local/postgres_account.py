"""PostgreSQL refuses to run as root: then it runs as the system user `biblio`.

The data folder and the binaries often lie below folders only root may enter (/root, a private temporary folder).
Instead of widening those, the process is given one capability: to search and read everywhere. PostgreSQL asks
access(2) whether its binary is readable, where the kernel ignores capabilities unless the securebit `no_setuid_fixup`
is set.
"""

import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from biblio.errors import Misconfigured

USER = "biblio"
WAY_OUT = "Run biblio as an ordinary user, or set BIBLIO_DATABASE to the address of a server."
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_SETUID, CAP_SETPCAP = 1, 2, 7, 8  # linux/capability.h


@dataclass(frozen=True)
class Account:
    """Who runs PostgreSQL. `prefix` goes in front of its commands; `uid` is None for the caller's own account."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def account() -> Account:
    """The caller's, or as root the system user's, which is made when missing. Raises `Misconfigured`."""
    if os.geteuid() != 0:
        return Account()
    if sys.platform != "linux":
        raise Misconfigured(f"PostgreSQL does not run as root. {WAY_OUT}")
    setpriv = shutil.which("setpriv", path=SYSTEM_PATH)
    if setpriv is None:
        raise Misconfigured(f"PostgreSQL does not run as root, and the program setpriv is missing. {WAY_OUT}")
    user, only = _system_user(), f"-all,+{_capability()}"
    identity = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    rights = ("--securebits=+no_setuid_fixup", f"--inh-caps={only}", f"--ambient-caps={only}", f"--bounding-set={only}")
    return Account((setpriv, *identity, *rights, "--"), user.pw_uid, user.pw_gid)


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        return _make_user()


def _make_user() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path=SYSTEM_PATH)
    if useradd is None:
        raise Misconfigured(f"PostgreSQL does not run as root, and useradd is missing. {WAY_OUT}")
    command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", USER]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        return pwd.getpwnam(USER)  # also when another start was faster
    except KeyError:
        said = done.stderr.strip()
        raise Misconfigured(f"PostgreSQL does not run as root, and no user could be made: {said}. {WAY_OUT}") from None


def _capability() -> str:
    """The smaller one where it may be had; Docker leaves only dac_override."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    mine = int(fields["CapEff"], 16) & int(fields["CapBnd"], 16)
    may = {number for number in range(64) if mine >> number & 1}
    if {CAP_SETUID, CAP_SETPCAP} <= may:
        if CAP_DAC_READ_SEARCH in may:
            return "dac_read_search"
        if CAP_DAC_OVERRIDE in may:
            return "dac_override"
    raise Misconfigured(f"PostgreSQL does not run as root, and root has too few rights here to lend it one. {WAY_OUT}")
