"""Adapters of the tracer port."""
