"""Speech by libflite (CMU Flite, BSD-like licence), where the system has it: `apt install libflite1`.

The structures are those of flite 2.x: cst_wave.h (cst_wave), cst_audio.h (cst_audio_streaming_info), cst_voice.h. Audio
comes through a callback while the sentence is still being made, and the callback's answer may stop it.
"""

from __future__ import annotations

import ctypes
from typing import Any, ClassVar, Final

import numpy as np

from voice.events import Word
from voice.providers.embedded.synthesis import Samples16, Sink, Timbre

_POINTER: Final = ctypes.c_void_p
_TOKEN_END: Final = b"R:Token.daughtern.R:SylStructure.daughtern.daughtern.R:Segment.end"
_CHUNK: Final = 320  # samples the engine hands over at least: 20 ms at 16 kHz
_CONTINUE: Final = 0
_STOP: Final = 1  # CST_AUDIO_STREAM_STOP


class _Wave(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    ]


class _StreamingInfo(ctypes.Structure):
    pass


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(_Wave), ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.POINTER(_StreamingInfo)
)
_StreamingInfo._fields_ = [
    ("min_buffsize", ctypes.c_int),
    ("asc", _Callback),
    ("utt", _POINTER),
    ("item", _POINTER),
    ("userdata", _POINTER),
]


class _Voice(ctypes.Structure):
    _fields_: ClassVar = [("name", ctypes.c_char_p), ("features", _POINTER)]


class _Library:
    """libflite's functions with their types."""

    def __init__(self) -> None:
        library = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)

        def function(name: str, result: Any, *arguments: Any) -> Any:
            found = getattr(library, name)
            found.restype, found.argtypes = result, arguments
            return found

        self.new_info = function("new_audio_streaming_info", ctypes.POINTER(_StreamingInfo))
        self.info_value = function("audio_streaming_info_val", _POINTER, ctypes.POINTER(_StreamingInfo))
        self.set_value = function("feat_set", None, _POINTER, ctypes.c_char_p, _POINTER)
        self.set_float = function("feat_set_float", None, _POINTER, ctypes.c_char_p, ctypes.c_float)
        self.synth_text = function("flite_synth_text", _POINTER, ctypes.c_char_p, _POINTER)
        self.delete_utterance = function("delete_utterance", None, _POINTER)
        self.relation = function("utt_relation", _POINTER, _POINTER, ctypes.c_char_p)
        self.head = function("relation_head", _POINTER, _POINTER)
        self.next = function("item_next", _POINTER, _POINTER)
        self.string = function("item_feat_string", ctypes.c_char_p, _POINTER, ctypes.c_char_p)
        self.number = function("flite_ffeature_float", ctypes.c_float, _POINTER, ctypes.c_char_p)
        library.flite_init()


class Flite:
    """The engine. Raises `OSError` when the library is not on this machine."""

    rate = 16000

    def __init__(self) -> None:
        self._library = _Library()
        self._voices: dict[str, Any] = {}

    def synthesise(self, text: str, timbre: Timbre, sink: Sink) -> None:
        """Speak `text` into `sink`. The words come with the first audio: durations are planned before any sound is made."""
        voice = self._voice(timbre.base)
        features = ctypes.cast(voice, ctypes.POINTER(_Voice)).contents.features
        self._library.set_float(features, b"duration_stretch", timbre.pace)
        self._library.set_float(features, b"f0_shift", timbre.pitch)
        first = True

        def on_audio(wave: Any, start: int, size: int, _last: int, info: Any) -> int:
            nonlocal first
            if size <= 0:
                return _CONTINUE
            words = self._words(info.contents.utt, text) if first else ()
            first = False
            base = ctypes.addressof(wave.contents.samples.contents) + 2 * start
            samples: Samples16 = np.frombuffer(ctypes.string_at(base, 2 * size), np.int16)
            return _STOP if sink(samples, words) else _CONTINUE

        info = self._library.new_info()
        callback = _Callback(on_audio)  # must outlive the synthesis: flite keeps only a pointer
        info.contents.min_buffsize, info.contents.asc = _CHUNK, callback
        self._library.set_value(features, b"streaming_info", self._library.info_value(info))  # flite frees `info` itself
        utterance = self._library.synth_text(text.encode("ascii", "ignore"), voice)
        if utterance:
            self._library.delete_utterance(utterance)

    def _voice(self, name: str) -> Any:
        if name not in self._voices:
            register = getattr(ctypes.CDLL(f"libflite_cmu_us_{name}.so.1"), f"register_cmu_us_{name}")
            register.restype, register.argtypes = _POINTER, [_POINTER]
            self._voices[name] = register(None)
        return self._voices[name]

    def _words(self, utterance: Any, text: str) -> list[Word]:
        """The tokens of the text and when they sound; with the writer's own spelling where the counts agree."""
        found: list[Word] = []
        item = self._library.head(self._library.relation(utterance, b"Token")) if utterance else None
        start = 0.0
        while item:
            end = max(start, float(self._library.number(item, _TOKEN_END)))
            found.append(Word(self._library.string(item, b"name").decode("ascii", "replace"), start, end))
            start, item = end, self._library.next(item)
        written = text.split()
        if len(written) == len(found):
            found = [Word(spelling, word.start, word.end) for spelling, word in zip(written, found, strict=True)]
        return found
