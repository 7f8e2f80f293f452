"""The Celery side: one task per step, one queue per worker group."""
