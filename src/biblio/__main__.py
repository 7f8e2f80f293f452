"""`python -m biblio` is the `biblio` command."""

from biblio.entrypoints.cli.main import app

app(prog_name="biblio")
