"""Plans of parts."""

import pytest

from biblio.domain.parts import MIB, MOST_PARTS, SMALLEST_PART, PartPlan, checked_sha256, part_size_for
from biblio.errors import InvalidInput

TIB = 1024**4


@pytest.mark.parametrize("size", [1, 8 * MIB, 100 * MIB + 1, 80_000 * MIB, 80_000 * MIB + 1, TIB, 5 * 10**12, 5 * TIB])
def test_every_file_fits_into_the_parts_that_storage_takes(size: int) -> None:
    plan = PartPlan(size, part_size_for(size))
    assert plan.part_size >= SMALLEST_PART >= 5 * MIB
    assert plan.part_size % MIB == 0
    assert plan.part_size <= 5 * 1024 * MIB
    assert 1 <= plan.count <= MOST_PARTS
    assert (plan.count - 1) * plan.part_size + plan.length(plan.count) == size
    assert 0 < plan.length(plan.count) <= plan.part_size


def test_a_part_of_another_size_is_missing_and_one_beyond_the_plan_is_nothing() -> None:
    plan = PartPlan(25, 10)
    assert [plan.length(number) for number in (1, 2, 3)] == [10, 10, 5]
    assert plan.missing([]) == [1, 2, 3]
    assert plan.missing([(1, 10), (2, 9), (3, 5)]) == [2]
    assert plan.missing([(3, 10), (4, 5), (0, 10)]) == [1, 2, 3]
    assert plan.missing([(2, 10), (1, 10), (3, 5), (3, 5)]) == []


def test_a_sha256_is_kept_in_lower_case() -> None:
    assert checked_sha256("AB" * 32) == "ab" * 32
    assert checked_sha256(None) is None


@pytest.mark.parametrize("digest", ["", "ab", "ab" * 33, "zz" * 32, "0x" + "a" * 62, "ab" * 32 + "\n"])
def test_what_is_no_sha256_is_refused(digest: str) -> None:
    with pytest.raises(InvalidInput):
        checked_sha256(digest)
