"""Everything that can go wrong with what is kept.

StorageError
 +-- DatabaseUnusable     it cannot be opened, reached or brought up to date (the operator's to cure)
 +-- TransactionMisused   a transaction inside a transaction of the same task (ours to cure)
"""

from __future__ import annotations


class StorageError(Exception):
    """Something about the database failed."""


class DatabaseUnusable(StorageError):
    """The database cannot be opened, reached or brought up to date; the message says which and what to do."""


class TransactionMisused(StorageError):
    """A task opened a transaction while it already held one: SQLite has one writer, so it would wait for itself."""
