"""What the routes take in: types that several of them share, and the checks of names in addresses."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

LONGEST_QUESTION = 2_000
"""Characters of a question, as search reads no more of it."""
_LONGEST_NAME = 4_096


def _has_words(text: str) -> str:
    if not text.replace("\0", " ").strip():
        raise ValueError("it is empty; enter a question or some words")
    return text


QuestionText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_QUESTION,
        description="Words or a question.",
        json_schema_extra={"pattern": r"[^\s\x00]"},
    ),
    AfterValidator(_has_words),
]


def _whole(value: Any) -> Any:
    # In JSON, 8.0 is a whole number like 8.
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Accepts whole numbers that are written with a point. It comes after the limits of a number, which are shown in OpenAPI then."""
Name = Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME)]


class Body(BaseModel):
    """A body in JSON: values have their own types, and unknown names are refused, since a misspelt one would do nothing."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)
