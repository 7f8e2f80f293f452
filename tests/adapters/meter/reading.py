"""Reads Prometheus's text format."""

from prometheus_client.parser import text_string_to_metric_families

from biblio.ports.meter import Exposition


def numbers(text: str) -> dict[str, float]:
    """Every number by its name and labels, these in order: `biblio_jobs_ready{queue="ai"}`."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def counted(meter: Exposition, line: str) -> float:
    return numbers(meter.text().decode()).get(line, 0.0)
