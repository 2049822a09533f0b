"""Write Silero VAD v5 anew as products of wide matrices: how the file in `voice/providers/models/` was made.

The published model runs each of its convolutions window by window, over four to one instants: products so narrow that most
of a core idles. Here every layer is one product over the windows of all calls; taps that only ever meet padding are left
out, as is the half for 16 kHz. No weight is changed: probabilities agree to six digits, at 40 % of the time (a window in a
batch of 64: 12.5 µs instead of 32.9 on a busy machine). Needs the `onnx` package, which the engine itself does not:

    python tools/widen_speech_model.py silero_vad.onnx voice/providers/models/silero_vad_8k_wide.onnx
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.float32]

CONTEXT, WINDOW = 32, 256  # samples of the window before, and of this one
PADDING = 32  # samples, mirrored at the end
FRAME, HOP, FRAMES, BANDS = 128, 64, 4, 65  # of the model's spectrogram of one window
UNITS = 128
_8K = "If_0_else_branch__Inline_0__"


class Graph:
    """An ONNX graph while it grows. Every verb returns the name of what it makes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def keep(self, values: NDArray[np.generic]) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def do(self, kind: str, *inputs: str, to: str = "", **attributes: int) -> str:
        output = to or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def cut(self, source: str, axis: int, first: int, end: int) -> str:
        return self.do("Slice", source, *(self.keep(np.array([number])) for number in (first, end, axis)))

    def shape(self, source: str, *sizes: int) -> str:
        return self.do("Reshape", source, self.keep(np.array(sizes)))

    def layer(self, source: str, weights: Sequence[Array], bias: Array) -> str:
        """`weights`: (out, in) of each tap; the taps lie side by side in `source`."""
        return self.do("Gemm", source, self.keep(np.concatenate([tap.T for tap in weights])), self.keep(bias))


def weights_of(model: onnx.ModelProto) -> dict[str, Array]:
    """The constants of the 8 kHz half, by the names they have in torch."""
    choice = next(node for node in model.graph.node if node.op_type == "If")
    half = next(attribute.g for attribute in choice.attribute if attribute.name == "else_branch")
    constants = (node for node in half.node if node.op_type == "Constant")
    return {node.output[0].removeprefix(_8K): numpy_helper.to_array(node.attribute[0].t) for node in constants}


def spectrogram(graph: Graph, basis: Array) -> str:
    """(calls, 4, 65): the magnitudes of four frames."""
    length = CONTEXT + WINDOW
    places = np.concatenate([np.arange(length), length - 2 - np.arange(PADDING)])
    frames = np.concatenate([places[first : first + FRAME] for first in range(0, FRAMES * HOP, HOP)])
    framed = graph.shape(graph.do("Gather", "input", graph.keep(frames), axis=1), -1, FRAMES, FRAME)
    parts = graph.do("MatMul", framed, graph.keep(basis[:, 0, :].T))
    squares = graph.do("Mul", parts, parts)
    return graph.do("Sqrt", graph.do("Add", graph.cut(squares, 2, 0, BANDS), graph.cut(squares, 2, BANDS, 2 * BANDS)))


def encoder(graph: Graph, bands: str, weights: dict[str, Array]) -> str:
    """(calls, 128). Four instants become four, two, one, one: kernels of three, strides of 1, 2, 2, 1, padding of zeros."""
    kernels = [np.moveaxis(weights[f"encoder.{n}.reparam_conv.weight"], 2, 0) for n in range(4)]
    biases = [weights[f"encoder.{n}.reparam_conv.bias"] for n in range(4)]
    padded = graph.do("Pad", bands, graph.keep(np.array([0, 1, 0, 0, 1, 0])))
    taps = graph.do("Concat", *(graph.cut(padded, 1, tap, tap + FRAMES) for tap in range(3)), axis=2)
    flat = graph.shape(taps, -1, 3 * BANDS)  # a row for each instant of each call
    first = graph.shape(graph.do("Relu", graph.layer(flat, kernels[0], biases[0])), -1, FRAMES * UNITS)
    early = graph.layer(graph.cut(first, 1, 0, 2 * UNITS), kernels[1][1:], biases[1])
    late = graph.layer(graph.cut(first, 1, UNITS, 4 * UNITS), kernels[1], biases[1])
    second = graph.do("Relu", graph.do("Concat", early, late, axis=1))
    third = graph.do("Relu", graph.layer(second, kernels[2][1:], biases[2]))
    return graph.do("Relu", graph.layer(third, kernels[3][1:2], biases[3]))


def memory(graph: Graph, heard: str, weights: dict[str, Array]) -> str:
    """One step of the LSTM; its new hidden state."""
    into, over, *biases = (weights[f"decoder.rnn.{name}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    hidden, cell = (graph.shape(graph.cut("state", 0, at, at + 1), -1, UNITS) for at in range(2))
    gates = graph.layer(
        graph.do("Concat", heard, hidden, axis=1),
        [_output_before_new(into), _output_before_new(over)],
        _output_before_new(biases[0] + biases[1]),
    )
    open_ = graph.do("Sigmoid", graph.cut(gates, 1, 0, 3 * UNITS))
    new = graph.do("Tanh", graph.cut(gates, 1, 3 * UNITS, 4 * UNITS))
    enters, stays, leaves = (graph.cut(open_, 1, at, at + UNITS) for at in range(0, 3 * UNITS, UNITS))
    kept = graph.do("Add", graph.do("Mul", stays, cell), graph.do("Mul", enters, new))
    told = graph.do("Mul", leaves, graph.do("Tanh", kept))
    first = graph.keep(np.array([0]))
    graph.do("Concat", graph.do("Unsqueeze", told, first), graph.do("Unsqueeze", kept, first), axis=0, to="after")
    return told


def _output_before_new(gates: Array) -> Array:
    """torch's order is input, forget, new, output: one sigmoid can serve three gates that lie together."""
    enters, stays, new, leaves = np.split(gates, 4)
    return np.concatenate([enters, stays, leaves, new])


def widen(source: str, target: str) -> None:
    """Write the wide model."""
    weights, graph = weights_of(onnx.load(source)), Graph()
    heard = encoder(graph, spectrogram(graph, weights["stft.forward_basis_buffer"]), weights)
    told = graph.do("Relu", memory(graph, heard, weights))
    graph.do(
        "Sigmoid",
        graph.layer(told, [weights["decoder.decoder.2.weight"][:, :, 0]], weights["decoder.decoder.2.bias"]),
        to="speech",
    )
    number, state = TensorProto.FLOAT, [2, "calls", UNITS]
    inputs = {"input": ["calls", CONTEXT + WINDOW], "state": state}
    outputs = {"speech": ["calls", 1], "after": state}
    ends = [[helper.make_tensor_value_info(name, number, size) for name, size in each.items()] for each in (inputs, outputs)]
    made = helper.make_graph(graph.nodes, "silero_vad_8k_wide", *ends, graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, target)


if __name__ == "__main__":
    widen(*sys.argv[1:])
