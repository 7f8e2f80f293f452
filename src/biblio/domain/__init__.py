"""What biblio knows without any machine: pure values and rules, no I/O, no vendor, no framework."""
