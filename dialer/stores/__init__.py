"""Where the dialer keeps what it knows: a database, or this process's memory. Both pass the same tests."""
