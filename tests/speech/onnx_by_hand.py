"""ONNX files of a few nodes, byte by byte (Protocol Buffers; onnx.proto3), for models that are the user's to fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray


def part(number: int, value: bytes | int) -> bytes:
    """A field: a whole number, or bytes."""
    if isinstance(value, int):
        return _number(number << 3) + _number(value)
    return _number(number << 3 | 2) + _number(len(value)) + value


def tensor(name: str, values: NDArray[np.float32]) -> bytes:
    dims = b"".join(part(1, size) for size in values.shape)
    return dims + part(2, 1) + part(8, name.encode()) + part(9, values.astype("<f4").tobytes())


def value(name: str, *shape: int | str) -> bytes:
    """An input or an output; a size may be a name."""
    dims = b"".join(part(1, part(1, size) if isinstance(size, int) else part(2, size.encode())) for size in shape)
    return part(1, name.encode()) + part(2, part(1, part(1, 1) + part(2, dims)))


def node(kind: str, inputs: Sequence[str], output: str, **attributes: Sequence[int] | int) -> bytes:
    raw = b"".join(part(1, one.encode()) for one in inputs) + part(2, output.encode()) + part(4, kind.encode())
    for name, said in attributes.items():
        if isinstance(said, int):
            raw += part(5, part(1, name.encode()) + part(3, said) + part(20, 2))
        else:
            raw += part(5, part(1, name.encode()) + b"".join(part(8, one) for one in said) + part(20, 7))
    return raw


def model(
    nodes: Sequence[bytes],
    constants: Sequence[bytes],
    ends: tuple[bytes, bytes],
    notes: Mapping[str, str] | None = None,
) -> bytes:
    """A whole file: nodes, tensors, the input and the output, and what `notes` say of it."""
    graph = b"".join(part(1, one) for one in nodes) + part(2, b"made by hand")
    graph += b"".join(part(5, one) for one in constants) + part(11, ends[0]) + part(12, ends[1])
    raw = part(1, 8) + part(7, graph) + part(8, part(2, 13))
    for key, said in (notes or {}).items():
        raw += part(14, part(1, key.encode()) + part(2, said.encode()))
    return raw


def _number(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])
