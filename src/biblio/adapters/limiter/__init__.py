"""Adapters of the limiter port."""
