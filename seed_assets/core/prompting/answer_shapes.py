"""Answers of models as the types that a stage expects. What does not belong here: asking for them (structured_output)."""

from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


def validated(kind: type[M], found: Any) -> M:
    """Return an answer as an instance of a pydantic model, without converting types. Raises ValidationError."""
    return kind.model_validate(found, strict=True)
