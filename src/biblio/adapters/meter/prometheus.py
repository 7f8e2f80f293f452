"""Measurements of this process, as Prometheus reads them."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from biblio.domain.measures import MEASURES, Kind, Measure
from biblio.ports.gauges import Gauges


class PrometheusMeter:
    """See `biblio.ports.meter.Exposition`. Safe for threads, not for a process forked from this one."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._metrics = {measure.name: _metric(measure, self.registry) for measure in MEASURES}

    def observe(self, measure: Measure, value: float = 1.0, **labels: str) -> None:
        metric = self._metrics[measure.name]
        metric = metric.labels(**labels) if measure.labels else metric
        if isinstance(metric, Counter):
            metric.inc(value)
        elif isinstance(metric, Gauge):
            metric.set(value)
        else:
            metric.observe(value)

    def show(self, gauges: Callable[[], Gauges | None]) -> None:
        self.registry.register(_Catalog(gauges))

    def text(self) -> bytes:
        return generate_latest(self.registry)


def _metric(measure: Measure, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    described = (measure.name, measure.meaning, measure.labels)
    match measure.kind:
        case Kind.COUNTER:
            return Counter(*described, registry=registry)
        case Kind.GAUGE:
            return Gauge(*described, registry=registry)
        case Kind.HISTOGRAM:
            return Histogram(*described, buckets=measure.steps, registry=registry)


class _Catalog:
    """Prometheus calls this a collector."""

    def __init__(self, gauges: Callable[[], Gauges | None]) -> None:
        self._gauges = gauges

    def describe(self) -> Iterable[Metric]:
        return ()  # so that nothing is asked when it is registered

    def collect(self) -> Iterable[Metric]:
        gauges = self._gauges()
        yield _family("biblio_catalog_up", "1 where the catalog answers.", None, {"": float(gauges is not None)})
        if gauges is not None:
            yield from _families(gauges)


def _families(gauges: Gauges) -> Iterable[Metric]:
    yield _family("biblio_jobs_ready", "Jobs that a worker could take up now.", "queue", gauges.ready)
    yield _family("biblio_jobs_oldest_seconds", "How long the oldest of them has waited.", "queue", gauges.oldest)
    yield _family("biblio_jobs_delayed", "Jobs to be tried again later.", "queue", gauges.delayed)
    yield _family("biblio_jobs_running", "Jobs in a worker's hands.", "queue", gauges.running)
    yield _family("biblio_leases_expired", "Jobs whose worker no longer renews its lease.", "queue", gauges.expired)
    yield _family("biblio_workers", "Living workers.", "queue", gauges.workers)
    yield _family("biblio_videos", "Videos by status.", "status", gauges.videos)
    yield _family("biblio_sweep_led", "1 where some worker sweeps.", None, {"": float(gauges.is_led)})


def _family(name: str, meaning: str, label: str | None, values: dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=[label] if label else [])
    for key, value in values.items():
        family.add_metric([key] if label else [], value)
    return family
