"""Everything that can go wrong at the edges of a conversation.

VoiceError
 +-- AgentFileError       an agent definition that cannot be used (the author's fault)
 +-- JournalError         a journal that cannot be replayed
 +-- ProviderError        ears, mind or mouth failed (the provider's fault); no vendor exception passes an adapter
      +-- ProviderUnavailable   refused, unreachable, dropped, stalled: worth another try elsewhere
      +-- ProviderRejected      wrong key, no such model, bad request: trying again does not help
"""

from __future__ import annotations


class VoiceError(Exception):
    """Something about a conversation failed."""


class AgentFileError(VoiceError):
    """An agent definition cannot be used; `code` is stable, the message names the file, the field and the cure."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class JournalError(VoiceError):
    """A journal cannot be read or replayed."""


class ProviderError(VoiceError):
    """A provider of ears, mind or mouth failed."""

    retryable = False

    def __init__(self, provider: str, code: str, message: str = "") -> None:
        super().__init__(f"{provider}: {code}{': ' + message if message else ''}")
        self.provider = provider
        self.code = code


class ProviderUnavailable(ProviderError):
    """Refused, unreachable, dropped or stalled: the next provider, or the next call, may do better."""

    retryable = True


class ProviderRejected(ProviderError):
    """The provider understood and said no (key, model, quota, request): trying again does not help."""
