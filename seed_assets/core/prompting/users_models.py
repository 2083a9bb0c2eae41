"""Pydantic models of users, whose validators say which answers are right. They are code that may fail, end the program or hang.

What belongs here: running them. What does not: what becomes of a refused answer (structured_output), and the fields that a model
declares (core.extractions).
"""

import json
from collections.abc import Callable
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core.core_schema import ErrorType

from resources.errors import DocumentError
from resources.time_limits import OutOfTimeError, time_limit
from resources.wording import shortened

# Validators look at one small answer, so this is far more than any of them needs.
_MOST_SECONDS = 10
_SHOWN = 200
# The types of the errors that pydantic finds itself; all others are of validators.
_OF_PYDANTIC = {*get_args(ErrorType)} - {"value_error", "assertion_error"}

M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], value: Any, *, strict: bool) -> M:
    """Return a JSON value as an instance of a user's model, whose validators are run.

    Raises ValidationError if it is refused, and DocumentError if the code of the model fails or never ends.
    """
    return _run(model, lambda: model.model_validate_json(json.dumps(value), strict=strict))


def refused_by_validators(error: ValidationError) -> bool:
    """Whether the types are right, and only validators have refused the value."""
    return not any(problem["type"] in _OF_PYDANTIC for problem in error.errors())


def refused_values(error: ValidationError) -> list[str]:
    """Return what is refused besides values that are missing, with the reasons."""
    return [
        f"{'.'.join(map(str, one['loc'])) or 'the row'}: {one['msg']}"
        for one in error.errors()
        if one["type"] != "missing"
    ]


def _run(model: type[M], validate: Callable[[], M]) -> M:
    try:
        with time_limit(_MOST_SECONDS):
            return validate()
    except ValidationError:
        raise
    except (Exception, SystemExit, OutOfTimeError) as error:
        said = f"{type(error).__name__}: {shortened(str(error), _SHOWN)}"
        if isinstance(error, OutOfTimeError):
            said = f"it took longer than {_MOST_SECONDS} seconds"
        raise DocumentError(
            f"the validators of {model.__module__}:{model.__qualname__} failed: {said.rstrip(': ')}.",
            "Correct the code of the model and run again. The answer of the model server is kept.",
            transient=True,
        ) from error
