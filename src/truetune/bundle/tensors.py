"""The header of a safetensors file, read with every number in it held against the size of the file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from truetune.errors import ModelError

LARGEST_HEADER = 100 * 2**20
"""Bytes; the same bound as that of the safetensors library."""

BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
}


def tensor_sizes(file: Path) -> dict[str, int]:
    """Return tensor name -> number of elements; raises `ModelError` for a header that the file does not bear out."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if size < 8 or length > min(LARGEST_HEADER, size - 8):
            raise _damaged(file, f"its header claims {length:,} bytes, the file has {size:,}")
        text = opened.read(length)
    try:
        stored = json.loads(text)
        tensors = {name: one for name, one in stored.items() if name != "__metadata__"}
        return {name: _elements(file, name, one, size - 8 - length) for name, one in tensors.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(file, f"its header is no table of tensors ({error})") from None


def _elements(file: Path, name: str, tensor: dict[str, Any], room: int) -> int:
    begin, end = tensor["data_offsets"]
    shape = tensor["shape"]
    if not all(isinstance(one, int) and one >= 0 for one in (*shape, begin, end)):
        raise _damaged(file, f"the tensor {name!r} has no proper shape")
    elements = int(math.prod(shape))
    if tensor["dtype"] not in BITS:
        raise _damaged(file, f"the tensor {name!r} is of the unknown kind {tensor['dtype']!r}")
    if not begin <= end <= room or elements * BITS[tensor["dtype"]] != (end - begin) * 8:
        raise _damaged(file, f"the tensor {name!r} claims shape {shape}, its bytes are {end - begin:,} of {room:,}")
    return elements


def _damaged(file: Path, why: str) -> ModelError:
    return ModelError(f"{file}: is no whole safetensors file: {why}; export the model again from its run")
