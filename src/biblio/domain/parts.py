"""How a large file is cut into parts, which arrive one by one and in any order."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from biblio.errors import InvalidInput

MIB = 1024**2
SMALLEST_PART = 8 * MIB
"""Bytes of a part but the last. S3 takes no less than 5 MiB; of 8, a broken line costs little and few are needed."""
MOST_PARTS = 10_000
"""S3's, and every store's that speaks its protocol."""


@dataclass(frozen=True)
class PartPlan:
    """A file of `file_size` bytes in parts of `part_size` bytes, the last of what is left. Numbers begin at 1."""

    file_size: int
    part_size: int

    @property
    def count(self) -> int:
        return -(-self.file_size // self.part_size)

    def length(self, number: int) -> int:
        """Bytes of part `number`."""
        return min(self.part_size, self.file_size - (number - 1) * self.part_size)

    def missing(self, stored: Iterable[tuple[int, int]]) -> list[int]:
        """The numbers of parts that are not among the `stored` (number, size), or lie there with another size."""
        whole = {number for number, size in stored if 1 <= number <= self.count and size == self.length(number)}
        return [number for number in range(1, self.count + 1) if number not in whole]


def part_size_for(file_size: int) -> int:
    """Whole MiB, and large enough that MOST_PARTS hold the file."""
    return max(SMALLEST_PART, -(-file_size // (MOST_PARTS * MIB)) * MIB)


def checked_sha256(digest: str | None) -> str | None:
    """Raises `InvalidInput` for what is no SHA-256 in hex."""
    if digest is not None and not re.fullmatch("[0-9a-fA-F]{64}", digest):
        raise InvalidInput("A sha256 has 64 hexadecimal digits.", code="INVALID_SHA256")
    return digest.lower() if digest else None
