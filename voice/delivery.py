"""Our voice on its way to the ear: full, lowered, paused, stopped, held, and taken up again from the exact place. Pure.

The carrier holds some 300 ms of what was sent. To be heard at once, a change of voice empties that buffer and sends the same
audio again from where the ear is (`Ear`), so that nothing is lost and nothing said twice; the ledger (`Playout`) knows the
pieces and gives them marks of their own.
"""

from __future__ import annotations

from typing import Final

from voice.actions import Action, ClearPlayout, Note, Play, SetGain
from voice.ear import Ear
from voice.events import SAMPLE_RATE, ReplyId, SpeechArrived
from voice.playout import CLAUSE, Playout
from voice.reply import Reply

PROBE: Final = "0/"  # a mark on an empty buffer; reply 0 is nobody's
_WORTH: Final = int(0.06 * SAMPLE_RATE)  # samples: less is over before a change of it could be heard


class Delivery:
    """Everything the caller hears of us. `gain` is the one they hear now, or will when a pause is over."""

    def __init__(self, duck_gain: float) -> None:
        self.playout = Playout()
        self.ear = Ear()
        self.gain = 1.0
        self.ducks = 0
        self.is_paused = False
        self.paused_at = 0.0  # last
        self._silent_from = 0  # where the ear is when that takes effect
        self._duck_gain = duck_gain
        self._probes = 0

    def probe(self, now: float) -> Action:
        """Measure the way to the carrier and back, while it plays nothing."""
        self._probes += 1
        self.ear.probed(now)
        return Play(b"", ((0, f"{PROBE}{self._probes}"),))

    def play(self, reply: Reply, event: SpeechArrived, now: float) -> list[Action]:
        """Queue some audio of this reply."""
        playout = self.playout
        if not playout.is_open(reply.id, event.segment):
            playout.open(reply.id, event.segment, reply.words(event.segment), is_whole=reply.is_protected)
        start = playout.queued
        marks = playout.queue(reply.id, event.segment, event.audio, event.words)
        if self.is_paused:
            return []  # sent when the pause is over
        self.ear.queued(start, playout.queued, now)
        return [*self.begun(), Play(event.audio, marks)]

    def is_told(self, reply: ReplyId, now: float) -> bool:
        """Whether a reply's own words have begun to sound; a word in between is none of them."""
        return self.playout.is_told(reply, self.ear.position(now))

    def begun(self) -> list[Action]:
        """Show our words when they sound, not when they are made: an opening is made before anybody picks up."""
        return [Note("agent", text) for text in self.playout.begun()]

    def returned(self, name: str, now: float) -> bool:
        """A mark came back; True if it means that audio was heard."""
        if name == f"{PROBE}{self._probes}":
            self.ear.probe_returned(now)
            return False
        if not self.playout.returned(name):
            return False
        self.ear.marked(int(name.split("/")[1]), now)
        return True

    # --- a lower voice, and the full one again ------------------------------------------------------------------------

    def duck(self, now: float) -> list[Action]:
        """Somebody may be taking the floor: a lower voice, at once."""
        self.ducks += 1
        return self._change_voice(self._duck_gain, now)

    def unduck(self, now: float) -> list[Action]:
        """Nobody was: the full voice, at once."""
        if self.is_paused:
            return self._go_on(1.0, now)
        return self._change_voice(1.0, now) if self.gain != 1.0 else []

    def pause(self, now: float) -> list[Action]:
        """It seems that somebody is: silence, which loses nothing and gives nothing up."""
        if self.is_paused or not self.has_more(now):
            return []
        certain = self.ear.heard_when_cut(now) if self.ear.is_known else self.playout.heard
        self._silent_from = self._cleared(now)
        self.playout.hold(certain)
        self.playout.send_again(self._silent_from)  # with marks that no carrier knows
        self.is_paused, self.paused_at = True, now
        return [ClearPlayout()]

    def end_pause(self, now: float) -> list[Action]:
        """Nobody has taken the floor so far: go on in a lower voice."""
        return self._go_on(self._duck_gain, now) if self.is_paused else []

    def _go_on(self, gain: float, now: float) -> list[Action]:
        self.is_paused = False
        self.gain = gain
        return [
            Note("decision", "going on where we paused"),
            SetGain(gain),
            *self._send_from_word(self._silent_from, 0, now),
        ]

    def _change_voice(self, gain: float, now: float) -> list[Action]:
        self.gain = gain
        if not self.has_more(now):
            return [SetGain(gain)]
        self.playout.hold(self.ear.heard_when_cut(now) if self.ear.is_known else self.playout.heard)
        return [ClearPlayout(), SetGain(gain), *self._send_from(self.ear.next_frame(now))]

    def has_more(self, now: float) -> bool:
        """Whether enough is queued and not heard for a change of it to be audible."""
        return self.playout.is_playing and self.playout.queued - self.ear.position(now) >= _WORTH

    def _send_from(self, position: int) -> list[Action]:
        audio, marks = self.playout.send_again(position)
        return [Play(audio, marks)] if audio else []

    # --- silence ------------------------------------------------------------------------------------------------------

    def stop(self, now: float) -> list[Action]:
        """Throw away what was not heard, and remember what was."""
        was_playing = self._falls_silent()
        self.playout.cut(self._cleared(now))
        return [*([ClearPlayout()] if was_playing else []), *self._full_voice()]

    def gone(self, now: float) -> None:
        """The other side went away: what it had not heard by then it never will."""
        position = self.ear.heard_when_cut(now)
        was_falling_silent = self.is_paused and now - self.paused_at < self.ear.longest_trip  # the order is on its way
        self.is_paused = False
        self.ear.cleared(now)
        self.playout.cut(position if self.ear.is_known and not was_falling_silent else self.playout.heard)

    def hold(self, now: float) -> list[Action]:
        """Fall silent at once; what was not heard may yet be said."""
        was_playing = self._falls_silent()
        self.playout.hold(self._cleared(now))
        return [*([ClearPlayout()] if was_playing else []), *self._full_voice()]

    def _falls_silent(self) -> bool:
        """Whether there is anything left to be cleared; a pause is over."""
        was_paused, self.is_paused = self.is_paused, False
        return self.playout.is_playing and not was_paused

    def take_up(self, now: float, most: int = CLAUSE) -> list[Action]:
        """Go on where the caller stopped us; with the clause, if it began no more than `most` samples ago."""
        return self._send_from_word(self.playout.heard, most, now)

    def _send_from_word(self, heard: int, most: int, now: float) -> list[Action]:
        position = self.playout.resumes_at(heard, most)
        if position < self.playout.queued:
            self.ear.queued(position, self.playout.queued, now)
        return self._send_from(position)

    def lost(self, now: float, *, is_protected: bool) -> list[Action]:
        """The way to the carrier broke, and with it went what the carrier held. Of words that must be heard, only receipts
        say that they were."""
        certain = self.playout.heard
        position = self.ear.lost(now)
        self.playout.hold(certain if is_protected or not self.ear.is_known else position)
        return [ClearPlayout(), *self._full_voice()]

    def back(self, now: float, *, is_protected: bool) -> list[Action]:
        """There is a way again: go on where we were cut off, with words that must be heard from their sentence on."""
        playout = self.playout
        position = playout.begins_at(playout.heard) if is_protected else playout.resumes_at(playout.heard)
        sent = self._send_from(position)
        if sent and is_protected:
            playout.rewind(position)
        if sent:
            self.ear.queued(position, playout.queued, now)
        return sent

    def let_go(self) -> None:
        """What was held will not be said."""
        self.playout.cut(self.playout.heard)

    def _cleared(self, now: float) -> int:
        """Where the ear is; only what marks have told while none of them has shown that the carrier plays at all."""
        position = self.ear.cleared(now)
        return position if self.ear.is_known else self.playout.heard

    def _full_voice(self) -> list[Action]:
        """For what comes next: nothing is playing that could be changed."""
        if self.gain == 1.0:
            return []
        self.gain = 1.0
        return [SetGain(1.0)]
