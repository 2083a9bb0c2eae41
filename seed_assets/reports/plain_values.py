"""Stored values as plain data, which JSON can show.

What belongs here: the form of a value by its type. What does not: finding the value (document_result), and lines for
people (shown_values).
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from seed_assets.core.concepts.concepts import Concepts
from seed_assets.core.reading.extracted_text import ExtractedText


def plain_data(value: Any, inputs: Sequence[Any] = ()) -> Any:
    """A value as mappings, lists, texts and numbers. Of arrays and tables only the shape is given.

    inputs: the values that it was made from. Concepts get their evidence from the text among them.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": len(value)}
    data = msgspec.to_builtins(value, str_keys=True, enc_hook=_shape)
    text = next((one.text for one in inputs if isinstance(one, ExtractedText)), None)
    if isinstance(value, Concepts) and text is not None:
        for concept, shown in zip(value.concepts, data["concepts"], strict=True):
            shown["evidence"] = text[concept.start : concept.end]
    return data


def _shape(value: Any) -> Any:
    """An array or a table as its shape, a Pydantic model as its fields."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if hasattr(value, "shape"):
        kind = (
            {"type": str(value.dtype)} if hasattr(value, "dtype") else {"columns": [str(one) for one in value.columns]}
        )
        return {"shape": list(value.shape), **kind}
    return str(value)
