"""The seams: what the pipeline asks of the outside world. Every promise is the name of a contract test."""
