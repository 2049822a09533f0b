"""Everything that can go wrong with what we know.

ContextError
 +-- UnknownCall             a call that is not in the database
 +-- KnowledgeError          the knowledge base cannot do what was asked
      +-- KnowledgeLocked    another process has the embedded index open
      +-- KnowledgeBroken    the index on disk cannot be used
      +-- UnknownChange      a history position that does not exist
      +-- EmbedderError      the sentence encoder is missing or is not the one we know
"""

from __future__ import annotations


class ContextError(Exception):
    """Something about what we know failed; `code` is stable, the message says what to do."""

    code = "context_failed"


class UnknownCall(ContextError):
    """There is no such call."""

    code = "call_unknown"


class KnowledgeError(ContextError):
    """The knowledge base cannot do what was asked."""

    code = "knowledge_failed"


class KnowledgeLocked(KnowledgeError):
    """The knowledge index is open in another process: use that process, or stop it first."""

    code = "knowledge_locked"


class KnowledgeBroken(KnowledgeError):
    """The knowledge index on disk cannot be used."""

    code = "knowledge_broken"


class UnknownChange(KnowledgeError):
    """The history has no such position."""

    code = "knowledge_change_unknown"


class EmbedderError(KnowledgeError):
    """The sentence encoder is missing, or its weights are not the ones this version was made for."""

    code = "embedder_unusable"
