"""One call in one picture: what was heard, said, believed and decided, out of its journal and, if any, its recording."""
