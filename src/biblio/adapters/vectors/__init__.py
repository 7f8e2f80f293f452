"""Adapters of the vectors port."""
