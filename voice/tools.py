"""The tools an agent may use, and whether their arguments are valid. Decides nothing about when; runs nothing."""

from __future__ import annotations

from typing import Final

import msgspec


class OptOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The person does not want to be called again. Written to the do-not-call list before the call ends."""

    words: str = ""


class SaveAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Record the answer to a playbook question, in the person's own words and normalised."""

    question: str
    value: str
    words: str = ""


class BookAppointment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Book an appointment at a time the person agreed to, in their words ("Friday at three")."""

    when: str
    note: str = ""


class Remember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Note something the person said that the next call should know, as one plain sentence."""

    fact: str


class TransferCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Connect the person to somebody else: `to` is empty for the agent's usual target, else `+1...` or `sip:...`."""

    to: str = ""
    reason: str = ""


class EndCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """End the call politely once what is being said has been heard to its end. `outcome` says how it went, in a word."""

    outcome: str = ""


ToolArguments = OptOut | SaveAnswer | BookAppointment | Remember | TransferCall | EndCall

TOOLS: Final[dict[str, type[ToolArguments]]] = {
    "opt_out": OptOut,
    "save_answer": SaveAnswer,
    "book_appointment": BookAppointment,
    "remember": Remember,
    "transfer": TransferCall,
    "end_call": EndCall,
}


def parse_arguments(name: str, arguments: str) -> ToolArguments | str:
    """The typed arguments, or a sentence for the model saying what is wrong with them (a refusal is a value)."""
    shape = TOOLS.get(name)
    if shape is None:
        return f"There is no tool named {name!r}; there are: {', '.join(TOOLS)}."
    try:
        return msgspec.json.decode(arguments or "{}", type=shape)
    except msgspec.MsgspecError as error:
        return f"The arguments of {name} are not valid: {error}."


def schema(name: str) -> dict[str, object]:
    """The JSON schema of a tool's arguments, for models that want one."""
    shape = TOOLS[name]
    (_, components) = msgspec.json.schema_components([shape])
    return dict(components[shape.__name__])
