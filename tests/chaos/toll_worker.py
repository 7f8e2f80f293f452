"""A process of workers that do nothing but pay, each with a connection of its own, admitted as steps are.

python -m tests.chaos.toll_worker '{"limiter": "redis://…", "toll": 8000, "name": "…", "calls": 60, "users": ["kim"]}'
"""

import contextlib
import json
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

from biblio.adapters.limiter.token_bucket import connect
from biblio.domain.rate_limit import RateLimit
from biblio.dsn import Dsn
from biblio.errors import RateLimited, Unavailable
from biblio.pipeline.admission import Admission
from tests.emulators.toll import pay

PATIENCE = 3600.0


def work(task: dict[str, Any], user: str) -> None:
    services: Any = SimpleNamespace(limiter=connect(Dsn.parse(task["limiter"])))
    limit = RateLimit(task["name"], calls=task["calls"])
    call = Admission(services, user, patience=PATIENCE)
    while True:
        try:
            with contextlib.suppress(RateLimited), call.admit(limit, 0.0):
                pay(task["toll"], user, "call")
        except Unavailable:  # a step would be tried again
            time.sleep(0.1)


def main() -> None:
    task = json.loads(sys.argv[1])
    for user in task["users"]:
        threading.Thread(target=work, args=(task, user), daemon=True).start()
    sys.stdin.read()  # until the test ends


if __name__ == "__main__":
    main()
