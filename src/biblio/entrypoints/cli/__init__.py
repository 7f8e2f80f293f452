"""The `biblio` command. One file a subject; heavy imports wait until a command needs them."""
