"""Speech by espeak-ng (GPL-3, from the `espeakng-loader` wheel), the mouth of a machine without flite.

espeak-ng is a program of its own here: only `mouth_worker` loads this module, in a process that the engine talks to through
pipes. The structures are those of speak_lib.h. The engine is one set of C globals, so a process holds exactly one.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import espeakng_loader
import numpy as np

from voice.events import Word
from voice.providers.embedded.synthesis import Sink, Timbre

_SYNCHRONOUS: Final = 2  # AUDIO_OUTPUT_SYNCHRONOUS: the callback runs on our thread, inside espeak_Synth
_NO_EXIT: Final = 0x8000  # espeakINITIALIZE_DONT_EXIT
_UTF8: Final = 1
_RATE_PARAMETER: Final = 1
_PITCH_PARAMETER: Final = 3
_WORDS_PER_MINUTE: Final = 165
_PITCH: Final = 50
_EVENT_END_OF_LIST: Final = 0
_EVENT_WORD: Final = 1
_CONTINUE: Final = 0
_WORD: Final = re.compile(r"\S+")


class _EventId(ctypes.Union):
    _fields_: ClassVar = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # in characters, from 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # milliseconds
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """The engine. Raises `OSError` when it cannot be loaded."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_Synth.argtypes = [
            *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int),
            *(ctypes.c_uint, ctypes.c_uint, ctypes.POINTER(ctypes.c_uint), ctypes.c_void_p),
        ]
        path = espeakng_loader.get_data_path().encode()
        self.rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 40, path, _NO_EXIT))
        if self.rate <= 0:
            raise OSError("espeak-ng does not start: its data files are missing")
        self._pieces: list[bytes] = []
        self._marks: list[tuple[int, float]] = []  # word events: character position, seconds
        self._callback = _Callback(self._on_audio)
        self._library.espeak_SetSynthCallback(self._callback)

    def synthesise(self, text: str, timbre: Timbre, sink: Sink) -> None:
        """Speak `text` into `sink`.

        The text is made whole first (2-5 ms a sentence): a word's end is known only when the next word has begun.
        """
        if self._library.espeak_SetVoiceByName(timbre.base.encode()):
            raise OSError(f"espeak-ng has no voice {timbre.base!r}")
        self._library.espeak_SetParameter(_RATE_PARAMETER, round(_WORDS_PER_MINUTE / timbre.pace), 0)
        self._library.espeak_SetParameter(_PITCH_PARAMETER, round(_PITCH * timbre.pitch), 0)
        self._pieces, self._marks = [], []
        encoded = text.encode() + b"\0"
        self._library.espeak_Synth(encoded, len(encoded), 0, 1, 0, _UTF8, None, None)
        words: Sequence[Word] = timed_words(text, self._marks, sum(map(len, self._pieces)) / 2 / self.rate)
        for piece in self._pieces:
            if sink(np.frombuffer(piece, np.int16), words):
                return
            words = ()

    def _on_audio(self, wave: Any, count: int, events: Any) -> int:
        index = 0
        while events[index].type != _EVENT_END_OF_LIST:
            if events[index].type == _EVENT_WORD:
                self._marks.append((events[index].text_position - 1, events[index].audio_position / 1000))
            index += 1
        if wave and count > 0:
            self._pieces.append(ctypes.string_at(wave, 2 * count))
        return _CONTINUE


def timed_words(text: str, marks: Sequence[tuple[int, float]], end: float) -> list[Word]:
    """The words of `text` from the engine's marks (character position, seconds). A number of many marks is one word."""
    starts: list[tuple[str, float]] = []
    for found in _WORD.finditer(text):
        inside = [at for position, at in marks if found.start() <= position < found.end()]
        if inside:
            starts.append((found[0], min(inside)))
    ends = [*(at for _, at in starts[1:]), end]
    return [Word(spelling, at, max(at, until)) for (spelling, at), until in zip(starts, ends, strict=False)]
