"""The prices of models, from a dated table that the user can edit.

What belongs here: finding the price of a model. What does not: what was spent (the request ledger) and may be spent (budget).
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from resources.endpoints.llm import Tokens
from resources.errors import ConfigurationError

BUNDLED = Path(__file__).parents[1] / "prices.toml"
_MILLION = 1_000_000
# The suffix by which a provider names one release of a model.
_RELEASE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4}|\d{8}|latest)$")


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """The price of a model.

    input, output: dollars per million tokens of prompts and of answers. known: whether a table has the price. as_of: the date of
    that table; "" if the price is from none. batch: the same for requests in batches; None if no table has them.
    """

    input: float = 0.0
    output: float = 0.0
    known: bool = True
    as_of: str = ""
    batch: tuple[float, float] | None = None

    @property
    def in_batch(self) -> "ModelPrice":
        """The price of requests in batches, which may be unknown."""
        return UNKNOWN if self.batch is None else ModelPrice(*self.batch, as_of=self.as_of)

    def usd(self, tokens: Tokens) -> float | None:
        """Return the price of these tokens in dollars; None if it is unknown."""
        return (tokens.input * self.input + tokens.output * self.output) / _MILLION if self.known else None


UNKNOWN = ModelPrice(known=False)
NOTHING = ModelPrice()


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(0.0, ge=0)
    batch_input: float | None = Field(None, ge=0)
    batch_output: float = Field(0.0, ge=0)

    @property
    def batch(self) -> tuple[float, float] | None:
        return None if self.batch_input is None else (self.batch_input, self.batch_output)

    @model_validator(mode="after")
    def _has_both_prices_of_batches(self) -> Self:
        given = self.model_fields_set
        if "batch_output" in given and "batch_input" not in given:
            raise ValueError("batch_output needs batch_input")
        if self.output and "batch_input" in given and "batch_output" not in given:
            raise ValueError("batch_input needs batch_output, since answers of this model have a price")
        return self


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    as_of: date
    models: dict[str, _Row]


def price_of(model: str, *, own_file: Path | None, bundled: bool) -> ModelPrice:
    """Return the price of a model: from the user's file, or from the project's table if the user's file does not name the model.

    own_file: the user's file, if there is one. bundled: whether the prices of the project's table hold for this server. Raises
    ConfigurationError if the user's file is missing or is not a table of prices.
    """
    for path in (own_file, BUNDLED if bundled else None):
        if path is not None:
            table = _read(path)
            for name in (model, _RELEASE.sub("", model)):
                if name in table.models:
                    row = table.models[name]
                    return ModelPrice(row.input, row.output, as_of=table.as_of.isoformat(), batch=row.batch)
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
            f"The prices {path} are not a table of prices: {where}: {problem['msg']}. It needs `as_of`, a date, and below "
            '[models] rows such as "name" = { input = 0.15, output = 0.60 }, dollars per million tokens.'
        ) from error
