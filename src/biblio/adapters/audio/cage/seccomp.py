"""seccomp: system calls that no decoder needs, and that Landlock and namespaces leave open, fail with EPERM.

What is refused, not what is allowed: builds of ffmpeg and of the C library differ, and a new one must not stop working.
What is left open is worth nothing without a file, a socket or another process to use it on.
"""

import ctypes
import errno
import os
import struct

from biblio.adapters.audio.cage import kernel

PR_SET_SECCOMP, FILTER = 22, 2
ALLOW, REFUSE, KILL = 0x7FFF_0000, 0x0005_0000, 0x8000_0000
LOAD, AND, RETURN = 0x20, 0x54, 0x06  # 32 bits at an offset; with a constant; end
EQUAL, AT_LEAST, ANY_OF = 0x15, 0x35, 0x45  # jumps: accumulator against a constant
NUMBER, MACHINE, ARGUMENT = 0, 4, 16  # offsets in what the filter is shown; an argument takes 8 bytes
THREAD = 0x0001_0000  # CLONE_THREAD
INTERNET, STREAM, KIND_OF_SOCKET = 2, 1, 0xF
OTHER_TABLE = 0x4000_0000  # numbers of x32 on x86_64

MACHINES = {"x86_64": (0, 0xC000_003E), "aarch64": (1, 0xC000_00B7)}

# Name → number on x86_64 and on aarch64; None where it does not exist.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    # other processes: their memory, their signals, their limits and priorities
    "fork": (57, None), "vfork": (58, None), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "process_madvise": (440, 440), "kcmp": (312, 272), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # what processes share without a file
    "shmget": (29, 194), "shmat": (30, 196), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # another view of the machine
    "unshare": (272, 97), "setns": (308, 268), "chroot": (161, 51), "pivot_root": (155, 41), "mount": (165, 40),
    "umount2": (166, 39), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "personality": (135, 92),
    # ways around Landlock and around this filter
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "bpf": (321, 280), "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    # what Landlock does not guard: owners, modes, times and lengths of files that it keeps closed
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "setxattrat": (463, 463), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "removexattrat": (466, 466), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "truncate": (76, 45),
}  # fmt: skip
CLONE, CLONE3 = (56, 220), (435, 435)
SOCKET, KILL_CALLS, LIMITS = (41, 198), ((62, 129), (234, 131)), (302, 261)

Instruction = tuple[int, int, int, int]  # code, steps to jump when true, when false, constant


def refuse() -> None:
    """From here on, and in all that is run. Raises `OSError` where the system has no such filter."""
    instructions = program(os.uname().machine, os.getpid())
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in instructions))
    kernel.give_up_privileges()
    kernel.prctl(PR_SET_SECCOMP, FILTER, struct.pack("@HP", len(instructions), ctypes.addressof(code)))


def program(machine: str, own: int) -> list[Instruction]:
    """The filter for one kind of processor and for the process `own`. Raises `OSError` for other kinds."""
    if machine not in MACHINES:
        raise OSError(errno.ENOSYS, f"no filter is written for {machine}")
    column, kind = MACHINES[machine]
    no = _end(REFUSE | errno.EPERM)
    lines: list[Instruction] = [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, kind), _end(KILL)]
    lines += [(LOAD, 0, 0, NUMBER), (AT_LEAST, 0, 1, OTHER_TABLE), no]
    for numbers in REFUSED.values():
        lines += _when(numbers[column], [no])
    lines += _when(CLONE[column], [_argument(0), (ANY_OF, 1, 0, THREAD), no, _end(ALLOW)])
    # The C library goes back to `clone`, whose flags can be seen, when it is told that there is nothing newer.
    lines += _when(CLONE3[column], [_end(REFUSE | errno.ENOSYS)])
    lines += _when(SOCKET[column], _only_tcp(no))
    for numbers in KILL_CALLS:
        lines += _when(numbers[column], [_argument(0), (EQUAL, 1, 0, own), no, _end(ALLOW)])
    lines += _when(LIMITS[column], [_argument(0), (EQUAL, 2, 0, 0), (EQUAL, 1, 0, own), no, _end(ALLOW)])
    return [*lines, _end(ALLOW)]


def _only_tcp(no: Instruction) -> list[Instruction]:
    kind = [_argument(1), (AND, 0, 0, KIND_OF_SOCKET), (EQUAL, 1, 0, STREAM), no]
    return [_argument(0), (EQUAL, 1, 0, INTERNET), no, *kind, _end(ALLOW)]


def _when(number: int | None, block: list[Instruction]) -> list[Instruction]:
    """`block`, which ends the filter, for the call of this number."""
    return [] if number is None else [(EQUAL, 0, len(block), number), *block]


def _argument(position: int) -> Instruction:
    return (LOAD, 0, 0, ARGUMENT + 8 * position)  # its lower half: both machines are little-endian


def _end(answer: int) -> Instruction:
    return (RETURN, 0, 0, answer)
