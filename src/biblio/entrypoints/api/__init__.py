"""The HTTP API. Handlers are plain functions: they check, call one use case, and shape its answer."""
