"""biblio turns lectures and talks into a library you can search."""

__version__ = "0.1.0"
