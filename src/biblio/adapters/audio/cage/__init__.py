"""Runs a program that may touch nothing but its own folder and one socket, and that dies with its parent.

    limits → namespaces → a socket to listen on, handed to the parent → Landlock → seccomp → the program

All of it happens in a small process of its own between fork and exec: in the worker itself (`preexec_fn`) it could
deadlock next to its threads. So only the standard library is imported here, and of that little: each call pays for it.
Without Linux, or where a system forbids a part, the rest is used; `biblio.adapters.audio.sandbox` says so.
"""
