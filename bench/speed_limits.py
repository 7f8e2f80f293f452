"""What search has to keep to as a library grows, and a picture of it."""

import importlib.util
import math
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

MOST_P50_MS, MOST_P95_MS = 20.0, 60.0
LEAST_RECALL = 0.95


def shortcomings(run: dict[str, Any]) -> Iterator[str]:
    size, took = run["passages"], run["api"]["median"]
    if took["users"]["p50"] > MOST_P50_MS:
        yield f"{size} passages: p50 of all users is {took['users']['p50']} ms (at most {MOST_P50_MS})"
    for kind, figures in took.items():
        if figures["p95"] > MOST_P95_MS:
            yield f"{size} passages: p95 of '{kind}' is {figures['p95']} ms (at most {MOST_P95_MS})"
    for kind, figures in run["recall"].items():
        if min(figures["asked_10"], figures["asked_100"]) < LEAST_RECALL:
            yield f"{size} passages: recall@10 of the kind '{kind}' is {figures}"


def allowed(first: float, runs: Sequence[dict[str, Any]], passages: int) -> float:
    """A latency that began with `first` and grew twice as much as the logarithm of the passages did."""
    return first * (2 * math.log(passages) / math.log(runs[0]["passages"]) - 1)


def slower_than_twice_the_logarithm(runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    for who, name in product(("users", "kinds"), ("p50", "p95")):
        first, *later = [(run["passages"], run["api"]["median"][who][name]) for run in runs]
        for passages, took in later:
            most = allowed(first[1], runs, passages)
            if took > most:
                grown = f"twice the logarithm's growth would be {most:.1f} ms"
                yield f"{name} of '{who}' at {passages} passages is {took} ms; {grown}"


def draw(runs: Sequence[dict[str, Any]], target: Path) -> None:
    """Latency against passages, beside what twice the logarithm's growth would be."""
    if importlib.util.find_spec("matplotlib") is None:
        print(f"\n!!! NO PICTURE: pip install matplotlib; {target.with_suffix('.json')} has its figures\n")
        return
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.2, 4.5), dpi=130)
    sizes = [run["passages"] for run in runs]
    for name, colour in (("p50", "#2d7a78"), ("p95", "#c8583a")):
        took = [run["api"]["median"]["kinds"][name] for run in runs]
        axes.plot(sizes, took, "o-", color=colour, label=f"{name}, through the API")
        most = [allowed(took[0], runs, size) for size in sizes]
        axes.plot(sizes, most, "--", color=colour, alpha=0.45, label=f"{name} if it grew twice as the logarithm does")
        for size, value in zip(sizes, took, strict=True):
            axes.annotate(f"{value:.1f}", (size, value), textcoords="offset points", xytext=(0, 7), ha="center")
    axes.set(
        xscale="log",
        ylim=(0, None),
        xlabel="passages",
        ylabel="milliseconds",
        title="Search as a library grows, every kind of user alike",
    )
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.grid(alpha=0.25)
    axes.legend()
    figure.tight_layout()
    figure.savefig(target)
    print(f"drawn: {target}")
