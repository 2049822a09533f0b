"""The process that listens: `python -m voice.providers.embedded.ears_worker HOME`.

pocketsphinx keeps the interpreter's lock while it decodes, so it must not live with the engine. One process listens to many
calls, in the order their audio comes (about a twentieth of a core each while somebody speaks). Language models that are
not on disk yet are made by a thread, and used from the utterance after that.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from voice.agent import AgentDefinition
from voice.providers.embedded.expected import hints
from voice.providers.embedded.listening import SPARE, Listening, Model
from voice.providers.embedded.recogniser import Heard, Recogniser
from voice.providers.embedded.wire import ITSELF, Audio, Close, Expect, Failed, Finish, OpenEars, Pipes, Prepare, Ready
from voice.providers.embedded.wire import Heard as HeardMessage

_MOST_MODELS: Final = 16  # agents (and their earlier versions) that decoders are kept for
_MOST_SPARE: Final = 8  # decoders kept for an agent (5 MB each)


class Purpose(Enum):
    OPEN = auto()  # a call is to be opened with it
    EXPECT = auto()  # a call was told to expect this
    AHEAD = auto()  # nobody waits for it
    PREPARE = auto()  # somebody waits for it, and for those ordered before it


@dataclass(frozen=True, slots=True)
class Order:
    """Make a model of this agent: its general one, or with a hint the one for what was just asked."""

    channel: int
    agent: AgentDefinition
    purpose: Purpose
    hint: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """The maker thread has carried out an order."""

    order: Order
    model: Model


@dataclass(slots=True)
class Call:
    agent: AgentDefinition
    base: Model | None = None
    wanted: Model | None = None  # what was just asked, when its model is there
    decoder: Any = None
    recogniser: Recogniser | None = None
    early: list[Audio | Finish | Expect] = field(default_factory=list)  # what came before the ears were open


class Maker:
    """Makes models in a thread of its own, one after the other."""

    def __init__(self, listening: Listening, results: SimpleQueue[Any]) -> None:
        self._listening, self._results = listening, results
        self._orders: SimpleQueue[Order] = SimpleQueue()
        threading.Thread(target=self._run, name="maker", daemon=True).start()

    def order(self, order: Order) -> None:
        self._orders.put(order)

    def _run(self) -> None:
        while True:
            order = self._orders.get()
            try:
                self._results.put(Made(order, self._listening.model(order.agent, order.hint)))
            except (OSError, ValueError) as error:
                if order.purpose in (Purpose.OPEN, Purpose.PREPARE):
                    self._results.put(Failed(order.channel, "no_model", str(error)))


class EarsWorker:
    def __init__(self, listening: Listening, pipes: Pipes) -> None:
        self._listening, self._pipes = listening, pipes
        self._inbox: SimpleQueue[Any] = pipes.inbox()
        self._maker = Maker(listening, self._inbox)
        self._calls: dict[int, Call] = {}
        self._spare: dict[str, list[Any]] = {}  # decoders by the name of their model

    def run(self) -> None:
        self._pipes.send(Ready(ITSELF))
        while (message := self._inbox.get()) is not None:
            match message:
                case OpenEars(channel, agent):
                    self._calls[channel] = Call(agent)
                    self._maker.order(Order(channel, agent, Purpose.OPEN))
                case Prepare(channel, agent):
                    self._make_ahead(agent)
                    self._maker.order(Order(channel, agent, Purpose.PREPARE))
                case Close(channel):
                    self._close(channel)
                case Made():
                    self._made(message)
                case Failed():
                    self._pipes.send(message)
                case Audio() | Finish() | Expect() if message.channel in self._calls:
                    self._serve(self._calls[message.channel], message)
                case _:
                    pass

    def _serve(self, call: Call, message: Audio | Finish | Expect) -> None:
        if call.recogniser is None:
            call.early.append(message)
            return
        match message:
            case Audio(channel, audio, _):
                for heard in call.recogniser.hear(audio):
                    self._tell(channel, heard)
            case Finish(channel):
                self._tell(channel, call.recogniser.finish())
            case Expect(channel, phrases):
                if phrases:
                    self._maker.order(Order(channel, call.agent, Purpose.EXPECT, phrases))
                else:
                    call.wanted = None

    def _tell(self, channel: int, heard: Heard) -> None:
        self._pipes.send(HeardMessage(channel, heard.text, heard.is_final, heard.confidence, heard.words))

    def _made(self, made: Made) -> None:
        channel = made.order.channel
        call = self._calls.get(channel)
        match made.order.purpose:
            case Purpose.OPEN if call is not None:
                self._open(channel, call, made.model)
            case Purpose.EXPECT if call is not None:
                call.wanted = made.model
                if call.recogniser is not None and not call.recogniser.is_open:
                    self._prepare(call)  # loading it takes some 20 ms, better now than when the caller speaks
            case Purpose.PREPARE:
                self._keep_spare(made.model)
                self._pipes.send(Ready(channel))
            case _:
                pass  # made ahead, or for a call that is over

    def _open(self, channel: int, call: Call, model: Model) -> None:
        try:
            call.decoder = self._decoder(model)
        except RuntimeError:
            model.forget()  # cut short on the disk, perhaps: the next call makes it anew
            self._calls.pop(channel)
            self._pipes.send(Failed(channel, "no_decoder", f"model {model.name} cannot be used"))
            return
        call.base = model
        call.recogniser = Recogniser(call.decoder, lambda decoder: self._prepare(call))
        self._pipes.send(Ready(channel))
        early, call.early = call.early, []
        for message in early:
            self._serve(call, message)
        if model.name not in self._spare:
            self._make_ahead(call.agent)
        self._keep_spare(model)

    def _prepare(self, call: Call) -> None:
        """Listen with the model of what was just asked, else with the general one."""
        decoder, wanted = call.decoder, call.wanted
        if wanted is None:
            decoder.activate_search()
            return
        try:
            decoder.activate_search(wanted.name)
        except KeyError:
            try:
                decoder.add_lm_file(wanted.name, str(wanted.language))
                decoder.activate_search(wanted.name)
            except RuntimeError:
                wanted.forget()
                call.wanted = None
                decoder.activate_search()

    def _decoder(self, model: Model) -> Any:
        spare = self._spare.get(model.name)
        return spare.pop() if spare else self._listening.decoder(model)

    def _make_ahead(self, agent: AgentDefinition) -> None:
        """The models of an agent's questions, before they are asked."""
        for hint in hints(agent):
            self._maker.order(Order(ITSELF, agent, Purpose.AHEAD, hint))

    def _keep_spare(self, model: Model) -> None:
        """Decoders for the next calls of an agent."""
        if model.name not in self._spare and len(self._spare) >= _MOST_MODELS:
            self._spare.pop(next(iter(self._spare)))
        spare = self._spare.setdefault(model.name, [])
        with suppress(RuntimeError):
            while len(spare) < SPARE and self._inbox.empty():
                spare.append(self._listening.decoder(model))

    def _close(self, channel: int) -> None:
        """Forget a call; its decoder serves another, with the channel it had adapted to forgotten too."""
        call = self._calls.pop(channel, None)
        if call is None or call.recogniser is None or call.base is None:
            return
        call.recogniser.finish()
        call.decoder.set_cmn(self._listening.average)
        spare = self._spare.setdefault(call.base.name, [])
        if len(spare) < _MOST_SPARE:
            spare.append(call.decoder)


def main() -> None:
    pipes = Pipes()
    try:
        listening = Listening(Path(sys.argv[1]))
    except (OSError, ValueError) as error:
        pipes.send(Failed(ITSELF, "no_engine", str(error)))
        return
    EarsWorker(listening, pipes).run()


if __name__ == "__main__":
    main()
