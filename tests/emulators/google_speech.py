"""Google Cloud Speech v2 on a real socket: gRPC, for Google's own library to call.

It refuses what the real one is known to refuse (bare languages, unknown models, more than a minute or 10 MB at once),
runs long operations over objects of the emulated Cloud Storage, counts what it was paid for, and misbehaves on order.
What it knows of the real one stands in Google's documentation; it was never held beside it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

from tests.emulators.gcs import Gcs, running_gcs
from tests.emulators.gcs_store import Bucket
from tests.emulators.google_speech_service import handlers
from tests.emulators.google_speech_state import STAGING, GoogleSpeech
from tests.emulators.hearing import Ear


@contextmanager
def google_speech_emulator(gcs: Gcs | None = None, ear: Ear | None = None) -> Iterator[GoogleSpeech]:
    """`gcs` is the emulated Cloud Storage whose objects it can hear; one of its own where none is given. Without an
    `ear` it hears made-up words, as many as there are loud half seconds."""
    if gcs is None:
        with running_gcs() as own, google_speech_emulator(own, ear) as emulator:
            yield emulator
        return
    gcs.buckets.setdefault(STAGING, Bucket(STAGING, {"name": STAGING}))
    emulator = GoogleSpeech(gcs, ear=ear)
    server = grpc.server(ThreadPoolExecutor(32), options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers(handlers(emulator))
    emulator.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield emulator
    server.stop(grace=None).wait()
