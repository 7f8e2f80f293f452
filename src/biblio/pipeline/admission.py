"""The turn of a paid call: asked of the limiter that all workers share, and waited for here where it is near."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol, TypeVar
from uuid import uuid4

from biblio.domain.rate_limit import PaidCall, RateLimit
from biblio.errors import AdapterError, RateLimited
from biblio.pipeline.services import Services
from biblio.ports.limiter import ASK_EVERY, PLACE_SECONDS

PATIENCE = 30.0
"""Seconds a worker waits with its step in hand; a step whose turn is farther off is given back."""
QUESTION_PATIENCE = 1.5
"""Seconds a person who searches waits."""

T = TypeVar("T")
log = logging.getLogger(__name__)


class Sign(Protocol):
    """Hears of calls that wait, from any thread."""

    def waits(self, call: PaidCall, seconds: float) -> None:
        """Called again and again; `seconds` until its turn. May raise, and then it waits no longer."""

    def goes_on(self, call: PaidCall) -> None:
        """It is made now. May raise, and then it is not."""

    def gives_up(self, call: PaidCall) -> None: ...


class NoSign:
    def waits(self, call: PaidCall, seconds: float) -> None: ...

    def goes_on(self, call: PaidCall) -> None: ...

    def gives_up(self, call: PaidCall) -> None: ...


class Admission:
    """See `biblio.ports.call.CallContext`; remembers nothing. Turns are those of `user_id`."""

    def __init__(self, services: Services, user_id: str, *, patience: float, sign: Sign | None = None) -> None:
        self._services = services
        self._user_id = user_id
        self._patience = patience
        self._sign = sign or NoSign()
        self._refusals = 0
        self._refused_since: float | None = None

    @contextmanager
    def admit(self, limit: RateLimit, units: float) -> Iterator[None]:
        call, well = PaidCall(limit, uuid4().hex, self._user_id, units), False
        self._wait(call)
        try:
            with self._kept(call):
                yield
            well, self._refused_since = True, None
        except RateLimited as refusal:
            self._close(limit, refusal)
            raise
        finally:
            self._leave(call, well=well)

    def until_taken(self, act: Callable[[], T]) -> T:
        """Do it again where the service refused one of its calls: the limit is closed by then, so that the next one
        waits. Raises `RateLimited` where that turn is far off, and where nothing but refusals comes for long: a service
        that always says "in a second" would hold whoever asks for ever."""
        while True:
            refusals = self._refusals
            try:
                return act()
            except RateLimited:
                if self._refusals == refusals or self._is_only_refused():
                    raise

    def recall(self, name: str) -> str | None:  # noqa: ARG002
        return None

    def note(self, name: str, value: str) -> None: ...

    def _is_only_refused(self) -> bool:
        since = self._refused_since
        return since is not None and time.monotonic() - since > 2 * self._patience

    def _wait(self, call: PaidCall) -> None:
        began = time.monotonic()
        try:
            while wait := self._ask(call, began):
                self._sign.waits(call, wait)
                time.sleep(min(wait, ASK_EVERY))
            self._sign.goes_on(call)
        except BaseException:  # whoever comes next need not wait for us
            self._sign.gives_up(call)
            self._leave(call, well=False)
            raise

    def _ask(self, call: PaidCall, began: float) -> float:
        """Who was told a near turn may see others go first, but not for ever."""
        patience = self._patience if time.monotonic() - began < 2 * self._patience else 0.0
        wait = self._services.limiter.admit(call, patience=patience)
        if wait > patience:
            # What stands behind the colon is the operator's account.
            what = call.limit.name.partition(":")[0]
            raise RateLimited(f"The quota of the {what} service is used up for now.", retry_after=wait)
        return wait

    @contextmanager
    def _kept(self, call: PaidCall) -> Iterator[None]:
        """Its place is renewed for as long as it takes, and comes back soon after its process is killed."""
        if call.limit.at_once is None:
            yield
            return
        over = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(call, over), name="place", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()

    def _keep(self, call: PaidCall, over: threading.Event) -> None:
        while not over.wait(PLACE_SECONDS / 3):
            with suppress(AdapterError):
                self._services.limiter.keep(call)
            if over.is_set():  # it was left a moment before it was kept
                self._leave(call, well=False)

    def _close(self, limit: RateLimit, refusal: RateLimited) -> None:
        """For everybody: each who found out by itself would be one more call over the limit."""
        self._refusals += 1
        self._refused_since = self._refused_since or time.monotonic()
        try:
            refusal.retry_after = self._services.limiter.refuse(limit, refusal.retry_after or None)
        except AdapterError as error:
            log.warning("others are not told that %s is out of quota: %s", limit.name, error)

    def _leave(self, call: PaidCall, *, well: bool) -> None:
        """A limiter that is away frees the place by itself."""
        with suppress(AdapterError):
            self._services.limiter.leave(call, well=well)


def question_call(services: Services, user_id: str) -> Admission:
    """A person waits: their questions have turns of their own, beside those of their videos."""
    return Admission(services, f"{user_id}?", patience=QUESTION_PATIENCE)
