"""The knowledge base: facts in the database, an index over them, and the history of both."""
