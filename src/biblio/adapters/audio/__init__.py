"""Adapters of the audio port."""
