"""Cut smart-turn's eight seconds of context to its last one and a half: how the file in `voice/models/` was made.

The model is Whisper-tiny's encoder with a pooled classifier on top (Daily, BSD-2, v3.2, quantised for CPUs). Its only ties
to eight seconds are the table of positions, of which the last 75 rows are kept, and one constant. No weight is changed,
nothing is trained. Needs the `onnx` package, which the engine itself does not:

    python tools/shorten_turn_model.py smart-turn-v3.2-cpu.onnx voice/models/smart-turn-v3.2-cpu-1.5s.onnx
"""

from __future__ import annotations

import sys

import numpy as np
import onnx
from onnx import numpy_helper

_POSITIONS, _WHOLE, _KEPT = "inner.encoder.embed_positions.weight", 400, 75  # of 20 ms


def shorten(source: str, target: str) -> None:
    """Write the shorter model."""
    model = onnx.load(source)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.name == _POSITIONS:
            tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values[-_KEPT:]), tensor.name))
        elif values.dtype == np.int64 and (values == _WHOLE).any():
            tensor.CopyFrom(numpy_helper.from_array(np.where(values == _WHOLE, _KEPT, values), tensor.name))
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 2 * _KEPT
    del model.graph.value_info[:]
    onnx.save(model, target)


if __name__ == "__main__":
    shorten(*sys.argv[1:])
