"""AVI and WAV say at their beginning how many bytes they have; ffmpeg does not mind when these are not all there."""

from collections.abc import Callable

UNKNOWN = 0x7FFF_0000  # from here on (and 0): a recorder that could not go back and fill the length in
MOST_CHUNKS = 64  # an AVI goes on in a new chunk every 1 to 2 GB
TOLERATED_BYTES = 64 * 1024
TOLERATED_SHARE = 0.01


def missing_bytes(read: Callable[[int], bytes], size: int) -> int:
    """How many bytes a RIFF file of `size` bytes lacks; 0 for whole ones, other files and small differences.

    `read` gives some bytes from an offset on.
    """
    start = 0
    for _ in range(MOST_CHUNKS):
        head = _read_exactly(read, start, min(8, size - start))
        stated = int.from_bytes(head[4:8], "little")
        if head[:4] != b"RIFF" or len(head) < 8 or not 0 < stated < UNKNOWN:
            return 0
        end = start + 8 + stated + stated % 2
        if end >= size:
            return _beyond_tolerance(end - size, end)
        start = end
    return 0


def _read_exactly(read: Callable[[int], bytes], start: int, count: int) -> bytes:
    data = b""
    while len(data) < count and (piece := read(start + len(data))):
        data += piece[: count - len(data)]
    return data


def _beyond_tolerance(missing: int, whole: int) -> int:
    return missing if missing > max(TOLERATED_BYTES, TOLERATED_SHARE * whole) else 0
