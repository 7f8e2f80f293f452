"""What every vector must be, looked at before anything is sent: a store may have kept half of what it refuses."""

from math import isfinite

from biblio.errors import Rejected
from biblio.ports.embedder import Vector


def checked(vector: Vector, dimension: int) -> list[float]:
    """Its numbers. Raises `Rejected` where they are not `dimension` many, or one of them is no number."""
    if len(vector) != dimension or not all(map(isfinite, vector)):
        raise Rejected("A vector has the wrong dimension, or holds what is no number.", code="BAD_VECTOR")
    return list(vector)
