"""`make chaos`: storms on both brokers, a table, and 1 as exit code where a promise was broken."""

import argparse
import random
import signal
import sys
import time
from pathlib import Path

from rich.console import Console

from tests.chaos.storm.faults import DEATHS
from tests.chaos.storm.recovery import BOUNDS, percentile
from tests.chaos.storm.table import WIDTH, save_picture, show
from tests.chaos.storm.whole import Outcome, run

BROKERS = ("valkey", "rabbitmq")
GATE, NIGHT = 200, 4000
"""Runs on both brokers together. The night's are the gate's twenty times, as the promises ask."""
PACE = 1.5


def main() -> int:
    # So that whatever was started ends with this, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asked = _asked()
    runs = asked.runs or (NIGHT if asked.night else GATE)
    console, began = Console(width=WIDTH), time.monotonic()
    console.print(f"seed {asked.seed}: {runs} runs on {' and '.join(asked.broker)}", highlight=False)

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {line}", flush=True)

    outcomes = []
    for number, broker in enumerate(asked.broker):
        share = runs // len(asked.broker) + (number < runs % len(asked.broker))
        outcomes.append(run(broker, share, asked.seed, pace=asked.pace, seconds=30.0 * share + 120, say=say))
        for finding in outcomes[-1].findings:
            say(f"{finding}\n    seed {asked.seed}, logs in {outcomes[-1].folder}")
    show(outcomes, console)
    if asked.picture:
        save_picture(outcomes, asked.picture)
    return 1 if _complain(outcomes, runs) else 0


def _complain(outcomes: list[Outcome], runs: int) -> list[str]:
    found = [f"{len(outcome.findings)} findings on {outcome.broker}" for outcome in outcomes if outcome.findings]
    done = sum(len(outcome.weather.faults) for outcome in outcomes)
    if done < runs:
        found.append(f"only {done} of {runs} faults struck in time")
    deaths = [
        (value, f"{fault} on {outcome.broker}")
        for outcome in outcomes
        for fault in outcome.weather.faults
        if fault.kind in DEATHS
        for value in outcome.recovered[fault.number]
    ]
    for percent, bound in BOUNDS.items():
        seconds, fault = percentile(deaths, percent) if deaths else (0.0, "")
        if seconds > bound:
            found.append(f"R3 p{percent} is {seconds:.1f} s, above {bound:.0f} s: {fault}")
    for one in found:
        print(one, file=sys.stderr)
    return found


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--runs", type=int, help=f"faults, on all brokers together ({GATE})")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--broker", choices=BROKERS, action="append")
    parser.add_argument("--pace", type=float, default=PACE, help="seconds between two faults")
    parser.add_argument("--night", action="store_true", help=f"{NIGHT} runs")
    parser.add_argument("--picture", type=Path, help="write the table there, as SVG")
    asked = parser.parse_args()
    asked.broker = asked.broker or list(BROKERS)
    return asked


if __name__ == "__main__":
    sys.exit(main())
