"""One folder per port, one file per product; each file has one door, `connect(dsn)`."""
