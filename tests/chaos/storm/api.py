"""The real API, which may be struck at every named point: `python -m tests.chaos.storm.api PORT ORDERS`."""

import sys
from pathlib import Path

import uvicorn

from biblio.entrypoints.api.app import create_app
from biblio.entrypoints.logs import set_up_logs
from biblio.settings import read_settings
from tests.chaos.storm.points import Points
from tests.chaos.storm.watched import watched


def main(port: str, orders: str) -> None:
    set_up_logs()
    app = create_app(read_settings())
    app.state.services = watched(app.state.services, Points(Path(orders), "api"))
    uvicorn.run(app, host="127.0.0.1", port=int(port), access_log=False, log_config=None, timeout_graceful_shutdown=4)


if __name__ == "__main__":
    main(*sys.argv[1:])
