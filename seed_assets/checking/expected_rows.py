"""The rows that should be in a table, built again from the store. Nothing is computed, and nothing is written.

This module forms keys and opens the values that a sink's rows are written from. They are compared in table_rows.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from io_managers.store.errors import StoreError
from io_managers.store.fingerprint import Part
from resources.tables.lance_contents import OwnedRows, as_bytes, rows_by_owner
from resources.tables.lance_rows import table_of
from seed_assets.engine.runner import Runner
from seed_assets.engine.stage_errors import named_error
from seed_assets.engine.unit_time import called
from seed_assets.graph.stage import Stage

if TYPE_CHECKING:
    import pyarrow as pa

# For how many units values and rows are in memory at the same time.
_AT_ONCE = 100


class ExpectedRows:
    """The rows of a sink's units, as its function makes them from what is published now.

    schema: of the table. keys: unit -> the key of the action that would write its rows now; units of which an input is
    not published have none. problems: unit -> why its inputs cannot be opened.
    """

    def __init__(self, runner: Runner, stage: Stage, units: Sequence[str], schema: "pa.Schema") -> None:
        self.problems: dict[str, str] = {}
        self._runner = runner
        self._stage = stage
        self._schema = schema
        self._spec = runner.tables.specs[stage.table]
        self._corpus = runner.published_corpus()
        published = {name: runner.store.refs.get(name) for name in stage.upstream}
        self._digests = {
            name: {unit: ref.content_digest for unit, ref in refs.items()} for name, refs in published.items()
        }
        parts = {name: self._parts(name, units) for name in stage.inputs}
        known = [unit for unit in units if all(unit in found for found in parts.values())]
        self.keys = runner.pipeline.templates[stage.name].keys(parts, known)

    def _parts(self, name: str, units: Sequence[str]) -> Mapping[str, Part]:
        if name in self._digests:
            return self._digests[name]
        found = self._stage.corpus_inputs[name]
        return {unit: part for unit in units if (part := found.part(self._corpus, unit)) is not None}

    def owned(self, units: Sequence[str]) -> dict[str, OwnedRows]:
        """Return unit -> all its rows, for the units whose rows can be made from published results."""
        made: dict[str, OwnedRows] = {}
        for start in range(0, len(units), _AT_ONCE):
            some = units[start : start + _AT_ONCE]
            for group, rows in self._tables(some):
                made |= {unit: OwnedRows() for unit in group}
                rows_by_owner(self._spec, rows, made)
        return made

    def rows(self, unit: str) -> "pa.Table | None":
        """Return the rows of one unit, strings as bytes; None if they cannot be made."""
        return next((rows for _, rows in self._tables([unit])), None)

    def _tables(self, units: Sequence[str]) -> Iterator[tuple[list[str], "pa.Table"]]:
        made = {unit: rows for unit in units if unit in self.keys and (rows := self._made(unit)) is not None}
        try:
            yield list(made), as_bytes(table_of([row for rows in made.values() for row in rows], self._schema))
        except ValueError:
            # If rows do not fit the table, the values are at fault, which other checks report.
            if len(units) > 1:
                for unit in units:
                    yield from self._tables([unit])

    def _made(self, unit: str) -> list[dict[str, Any]] | None:
        stage = self._stage
        try:
            values = [self._value(name, unit) for name in stage.inputs]
        except StoreError as error:
            self.problems[unit] = str(error)
            return None
        try:
            return called(stage, lambda: list(stage.function(unit, f"sha256:{self.keys[unit]}", *values)))
        except ValueError:
            return None  # chunks and vectors that do not fit each other
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the function may be the user's, and the check goes on
            self.problems[unit] = str(named_error(error, stage.name))
            return None

    def _value(self, name: str, unit: str) -> Any:
        if name in self._stage.corpus_inputs:
            return asyncio.run(self._stage.corpus_inputs[name].value(self._corpus, unit, self._opened))
        return self._runner.store.load(self._digests[name][unit], self._stage.input_types[name])

    async def _opened(self, name: str, unit: str) -> Any:
        returns = self._runner.pipeline.stages[name].returns
        return self._runner.store.load(self._corpus.digest(name, unit), returns)
