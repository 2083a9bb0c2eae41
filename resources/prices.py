"""What a model costs, from a dated table that anybody can edit.

What belongs here: finding a model's price. What does not: what was spent (the request ledger) and what may be (budget).
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from resources.errors import ConfigurationError
from resources.llm import Tokens

BUNDLED = Path(__file__).parent / "prices.toml"
_MILLION = 1_000_000
# What a provider appends to a model's name for one release of it.
_RELEASE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4}|\d{8}|latest)$")


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """Dollars a million tokens. known: whether anybody has said; as_of: when ("" for what has always been so)."""

    input: float = 0.0
    output: float = 0.0
    known: bool = True
    as_of: str = ""

    def usd(self, tokens: Tokens) -> float | None:
        """Dollars for so many tokens; None where the price is unknown."""
        return (tokens.input * self.input + tokens.output * self.output) / _MILLION if self.known else None


UNKNOWN = ModelPrice(known=False)
NOTHING = ModelPrice()


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(0.0, ge=0)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    as_of: date
    models: dict[str, _Row]


def price_of(model: str, *, own_file: Path | None, bundled: bool) -> ModelPrice:
    """The price of a model: by the user's file, else, where `bundled` prices hold, by the project's.

    Raises ConfigurationError where the user's file is missing or is no table of prices.
    """
    for path in (own_file, BUNDLED if bundled else None):
        if path is not None:
            table = _read(path)
            for name in (model, _RELEASE.sub("", model)):
                if name in table.models:
                    row = table.models[name]
                    return ModelPrice(row.input, row.output, as_of=table.as_of.isoformat())
    return UNKNOWN


def _read(path: Path) -> _Table:
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        return _Table.model_validate(found)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"The prices {path} cannot be read: {error}.") from error
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise ConfigurationError(
            f"The prices {path} are no table of prices: {where}: {problem['msg']}. It needs `as_of`, a date, and below "
            '[models] rows such as "name" = { input = 0.15, output = 0.60 }, dollars a million tokens.'
        ) from error
