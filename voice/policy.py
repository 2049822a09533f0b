"""How patient, how quick, how careful a conversation is: every number the core obeys, with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass, field

from voice.floor import FloorPolicy


@dataclass(frozen=True, slots=True)
class Policy:
    """Times in seconds."""

    floor: FloorPolicy = field(default_factory=FloorPolicy)
    duck_gain: float = 0.3  # about -10 dB: audibly giving way, still intelligible
    pause_for: float = 0.28  # a silence of ours that is taken back so soon is a pause, and no stop
    pause_on: float = 0.12  # so much longer while the voice goes on: by then it has taken the floor, nearly always
    hold_for: float = 4.0  # a reply that was stopped may be taken up again for so long, if nobody wanted the floor
    hold_final: float = 1.5  # and waits so much longer for words: "nothing was said" is for the ears to say, if they can
    wordless: float = 1.5  # a longer sound without words was somebody the ears did not understand
    final_within: float = 0.4  # how long a turn that is over waits for the ears' last words
    no_stands_after: float = 0.4  # an interim no, said while we speak, before the ears are asked to be sure of it
    shortest_turn: float = 0.35  # a wordless sound shorter than this is nobody's turn
    acknowledge_after: float | None = 0.5  # the caller's last sound: a reply expected later is bridged at once; None: never
    told_before: float = 0.3  # so much longer may it take where words of ours were heard just before
    mind_takes: float = 0.0  # to its first word, as this process has known it lately; 0: unknown
    mouth_takes: float = 0.0  # to its first sound, likewise
    open_within: float = (
        1.4  # of the end of the callee's greeting; the law's two seconds, less what the voice takes to begin
    )
    tool_after: float = 1.2  # of waiting for a tool in silence; then we say that we are looking
    tool_again: float = 9.0  # and that it takes longer
    settled_after: float = (
        0.25  # of quiet: an interim that comes then has all words; recognisers are so far behind the voice
    )
    short_of: float = 0.12  # or one whose last word ends so shortly before the voice does, at most
    most_speculations: int = 2  # replies prepared in one turn before it is over
    model_within: float = 8.0  # from one piece of a reply to the next
    mouth_within: float = 6.0  # from one piece of a reply's audio to the next
    leave_within: float = 5.0  # for tools to finish before a hang-up that is due anyway
    longest_segment: float = 4.0  # of a segment's audio, and
    per_letter: float = 0.25  # so much more for each of its letters: three times what slow voices take
    mark_grace: float = 3.0  # after all audio should have been heard; a carrier that returns no marks must not hang a call
    back_within: float = 10.0  # of a broken media link, until the carrier must have opened another
    gone_within: float = 5.0  # from our hang-up to the carrier's end of the leg
    machine_within: float = 30.0  # a voicemail greeting is spoken at the beginning or never
    machine_silence: float = 2.0  # a greeting that ended without a beep
    beep_within: float = 20.0
    most_silences: int = 2  # the first is prompted, the second ends the call
    most_continuations: int = 3  # replies in a row that only call tools
