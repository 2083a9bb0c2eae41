"""Encoding of numpy arrays, Arrow tables and DataFrames; equal values give equal bytes."""

import json
from collections.abc import Mapping
from typing import Any

from io_managers.store.errors import UnencodableError


def encode_arrays(value: Any) -> bytes:
    """An array, or a mapping of arrays, in the safetensors format. Raises UnencodableError."""
    import numpy as np
    from safetensors.numpy import save

    if isinstance(value, Mapping):
        arrays = value
        if any(type(name) is not str or name in ("", "__metadata__") for name in arrays):
            raise UnencodableError("The names of stored arrays must be str, not empty and not `__metadata__`.")
    else:
        arrays = {"": value}
    for array in arrays.values():
        if type(array) not in (np.ndarray, np.memmap):
            raise UnencodableError(f"A {type(array).__qualname__} cannot be stored exactly; make it a plain array.")
        if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
            raise UnencodableError(
                f"An array of {array.dtype} cannot be stored; use bool, integers or floats of at most 64 bits."
            )
    # Sorted, so that equal mappings give equal bytes; copied if the memory is not in C order or not little-endian.
    return save(
        {
            name: np.asarray(arrays[name], arrays[name].dtype.newbyteorder("<"), order="C").view(np.ndarray)
            for name in sorted(arrays)
        }
    )


def decode_arrays(payload: bytes) -> Any:
    """The array, or the mapping of arrays. Raises ValueError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(payload)
    except (SafetensorError, KeyError) as error:
        raise ValueError(str(error)) from error
    return arrays[""] if set(arrays) == {""} else arrays


def encode_table(table: Any) -> bytes:
    """An Arrow table or record batch as one IPC stream. Raises UnencodableError."""
    import numpy as np
    import pyarrow as pa

    if not isinstance(table, pa.Table):
        table = pa.Table.from_batches([table])
    try:
        # Every row is copied, so that chunks, slices and the bytes below a null do not change the digest.
        table = table.unify_dictionaries().take(pa.array(np.arange(len(table)))).combine_chunks()
    except pa.ArrowNotImplementedError:  # types such as string views, for which equal tables may differ in bytes
        table = table.combine_chunks()
    except pa.ArrowInvalid as error:
        raise UnencodableError(f"A table of {table.nbytes:,} bytes cannot be stored as one value: {error}") from error
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write(table)
    return sink.getvalue().to_pybytes()


def encode_frame(frame: Any) -> bytes:
    """A DataFrame with its index and types as an IPC stream. Raises UnencodableError."""
    import pyarrow as pa

    try:
        table = pa.Table.from_pandas(frame)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise UnencodableError(f"A DataFrame holds values that Arrow cannot represent: {error}") from error
    metadata = dict(table.schema.metadata or {})
    description = json.loads(metadata[b"pandas"])
    # The versions of the libraries that wrote the frame are not part of its value.
    description.pop("pandas_version", None)
    description.pop("creator", None)
    metadata[b"pandas"] = json.dumps(description, sort_keys=True).encode()
    return encode_table(table.replace_schema_metadata(metadata))


def decode_table(payload: bytes) -> Any:
    """The Arrow table of these bytes. Raises ValueError."""
    import pyarrow as pa

    try:
        return pa.ipc.open_stream(payload).read_all()
    except (pa.ArrowException, OSError, KeyError) as error:
        raise ValueError(str(error)) from error


def decode_frame(payload: bytes) -> Any:
    """The DataFrame of these bytes. Raises ValueError."""
    import pyarrow as pa

    try:
        return decode_table(payload).to_pandas()
    except (pa.ArrowException, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error
