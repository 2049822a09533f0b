"""Replies begun before the caller's turn is over: when to begin one, how it grows unheard, what becomes of it. Pure.

Nothing of a draft is heard, or done, before the turn is over with words that mean the same.
"""

from __future__ import annotations

from typing import Final

from voice.actions import Action, AgentSaid, CallerSaid, Message, Note, StartReply, StopReply
from voice.draft import Draft, FromMind, FromMouth
from voice.events import ReplyFailed, ReplyId, ReplyText, ReplyWritten
from voice.floor import Floor
from voice.phrases import is_opt_out, promises_more
from voice.policy import Policy
from voice.reply import Reply
from voice.turn import CallerTurn

_LETTERS: Final = 4  # of English a token, about: vendors' own rule of thumb


class Speculation:
    """At most one draft at a time. `begun`, `dropped` and `wasted_tokens` are those of the whole call."""

    def __init__(self, policy: Policy) -> None:
        self.begun = 0
        self.dropped: list[ReplyId] = []
        self.wasted_tokens = 0
        self._policy = policy
        self._draft: Draft | None = None
        self._of_turn = 0

    def wants(self, text: str, *, is_settled: bool) -> bool:
        """Whether a reply to these words should be begun now: they are new, stand still, and are no half sentence."""
        if self._draft is not None and self._draft.answers(text):
            return False
        is_fit = is_settled and not (promises_more(text) or is_opt_out(text))
        return is_fit and self._of_turn < self._policy.most_speculations

    def has_caught_up(self, turn: CallerTurn, floor: Floor, now: float) -> bool:
        """Whether the words reach to where the voice ended: by their word times, which hold however late our detectors are;
        or as a final that came since then, or an interim that comes late enough."""
        if not turn.interim:
            is_since = turn.final_at >= now - floor.quiet
            return is_since or turn.final_until >= floor.voice_until - self._policy.short_of
        if turn.heard_until is not None:
            return turn.heard_until >= floor.voice_until - self._policy.short_of
        return floor.quiet - (now - turn.changed_at) >= self._policy.settled_after

    def begin(self, text: str, reply: Reply, messages: list[Message]) -> list[Action]:
        """Let the mind begin to answer `text`, as if the caller had said no more."""
        actions = self.drop("the words changed")
        self._of_turn += 1
        self.begun += 1
        self._draft = Draft(reply, text, tokens=sum(map(_tokens_of, messages)))
        return [*actions, StartReply(reply.id, (*messages, CallerSaid(text)), speculative=True)]

    def is_of(self, reply: ReplyId) -> bool:
        """Whether an event of this reply belongs to the draft."""
        return self._draft is not None and self._draft.reply.id == reply

    def take(self, event: FromMind | FromMouth) -> list[Action]:
        """The draft grows. Its first segment is synthesised; everything else waits for the commitment."""
        draft = self._draft
        assert draft is not None, "ask `is_of` first"
        match event:
            case ReplyText(_, text):
                draft.tokens += len(text) // _LETTERS
                return _first_words(draft, text)
            case ReplyWritten(_, tokens_in, tokens_out, tokens_cached):
                draft.tokens = tokens_in + tokens_out + tokens_cached or draft.tokens
                draft.held.append(event)
                return _first_words(draft)
            case ReplyFailed(_, reason):
                return self.drop(f"failed: {reason}")
            case _:
                draft.held.append(event)
                return []

    def turn_over(self, text: str) -> Draft | None:
        """The caller's turn is over with these words: the draft that answers them, if there is one, now a draft no more."""
        self._of_turn = 0
        draft = self._draft
        if draft is None or not draft.answers(text):
            return None
        self._draft = None
        return draft

    def drop(self, why: str) -> list[Action]:
        """Throw the draft away, if there is one."""
        draft, self._draft = self._draft, None
        if draft is None:
            return []
        self.dropped.append(draft.reply.id)
        self.wasted_tokens += draft.tokens
        return [StopReply(draft.reply.id, draft.tokens), Note("decision", f"a prepared reply is dropped: {why}")]


def _tokens_of(message: Message) -> int:
    return len(message.text) // _LETTERS if isinstance(message, CallerSaid | AgentSaid) else 0


def _first_words(draft: Draft, text: str | None = None) -> list[Action]:
    """What the mouth may begin with, of what has been written now; None for the end of writing."""
    is_first = not draft.reply.segments
    spoken: list[Action] = [*(draft.reply.finish() if text is None else draft.reply.write(text))]
    return spoken[:1] if is_first else []
