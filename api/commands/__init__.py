"""The commands that have more to say than `api/cli.py` has room for, one module a subject; each is imported when run."""
