"""Questions to engines that may not answer: all at once, and none of them keeps anybody waiting."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Deadline(Generic[T]):
    """One that is still at its question is waited for, and not asked once more meanwhile."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._asked: dict[str, _Asking[T]] = {}

    def ask(self, questions: Mapping[str, Callable[[], T]]) -> dict[str, T]:
        """The answers that came within the time, by name."""
        until = time.monotonic() + self.seconds
        asked = {name: self._ask(name, question) for name, question in questions.items()}
        for one in asked.values():
            one.join(max(0.0, until - time.monotonic()))
        return {name: answer for name, one in asked.items() for answer in one.answers}

    def _ask(self, name: str, question: Callable[[], T]) -> "_Asking[T]":
        with self._lock:
            one = self._asked.get(name)
            if one is None or not one.is_alive():
                one = self._asked[name] = _Asking(name, question)
                one.start()
            return one


class _Asking(threading.Thread, Generic[T]):
    def __init__(self, name: str, question: Callable[[], T]) -> None:
        super().__init__(name=f"ask-{name}", daemon=True)
        self._question = question
        self.answers: list[T] = []

    def run(self) -> None:
        self.answers.append(self._question())
