"""Adapters of the meter port."""
