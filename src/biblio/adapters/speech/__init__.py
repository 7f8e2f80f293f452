"""Adapters of the speech port."""
