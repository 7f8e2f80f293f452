"""Where the outside comes in: HTTP, the queue, the terminal."""
