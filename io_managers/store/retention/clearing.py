"""Removes finished results that somebody chose by stage, model, document or age, whether or not they are in use.

What is published stays readable until it is computed again. Rules that remove what is not in use are in `collection`.
"""

import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from io_managers.store.codecs.stored_bytes import Files
from io_managers.store.retention.collection import cost_of
from io_managers.store.retention.removal import note_published, remove_actions, remove_lost_origins
from io_managers.store.retention.rules import Removed
from io_managers.store.store import Store

_MODEL = "CASE WHEN json_valid(provenance) THEN json_extract(provenance, '$.model') END"


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be removed; all that is given must apply, and something must be.

    older_than_days: computed before that; None for any age. with_parts: also the results that the chosen ones were made from,
    such as answers of models and vectors of single texts. Without it, these are found again and cost nothing.
    """

    stages: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    older_than_days: float | None = None
    with_parts: bool = False


@dataclass(slots=True)
class Cleared:
    """What was chosen, by stage. published: how many of these results are published now, so that a seed computes them again."""

    stages: dict[str, Removed] = field(default_factory=dict[str, Removed])
    published: int = 0

    @property
    def total(self) -> Removed:
        """The sum over all stages."""
        total = Removed()
        for removed in self.stages.values():
            total.add(removed)
        return total


def clear(store: Store, choice: Choice, *, dry_run: bool) -> Cleared:
    """Remove the chosen results, or find out what that would be. Raises StoreUnavailableError."""
    with store.database.maintained() as connection:
        note_published(connection)
        _choose(connection, choice)
        cleared = Cleared()
        for stage, provenance, freed_bytes, is_published in connection.execute(
            "SELECT a.stage, a.provenance, coalesce(length(o.data), o.size_bytes, 0),"
            " EXISTS (SELECT 1 FROM refs WHERE refs.action_key = a.action_key)"
            " FROM temp.chosen JOIN actions a USING (action_key) LEFT JOIN objects o USING (content_digest)"
        ):
            cleared.stages.setdefault(stage, Removed()).add(cost_of(provenance, 0 if is_published else freed_bytes))
            cleared.published += is_published
        cleared.stages = dict(sorted(cleared.stages.items()))
        if not dry_run and cleared.stages:
            keys = [key for (key,) in connection.execute("SELECT action_key FROM temp.chosen")]
            remove_actions(connection, Files(store.directory / "objects"), keys, keep_published=False)
            remove_lost_origins(connection)
    return cleared


def known_names(store: Store) -> tuple[set[str], set[str]]:
    """(The stages, the models) of which the store has results. Raises StoreUnavailableError."""
    stages = {stage for (stage,) in store.database.read("SELECT DISTINCT stage FROM actions")}
    models = {model for (model,) in store.database.read(f"SELECT DISTINCT {_MODEL} FROM actions") if model}
    return stages, models


def _choose(connection: sqlite3.Connection, choice: Choice) -> None:
    """Make the temporary table `chosen` with the keys of the chosen actions."""
    conditions: list[str] = []
    parameters: list[object] = []

    def among(column: str, names: Iterable[str]) -> None:
        if names:
            conditions.append(f"{column} IN (SELECT value FROM json_each(?))")
            parameters.append(json.dumps(list(names)))

    among("stage", choice.stages)
    among(_MODEL, choice.models)
    if choice.documents:
        made_for = (
            "SELECT action_key FROM refs WHERE partition IN (SELECT value FROM json_each(?))"
            " UNION SELECT action_key FROM origins WHERE owner IN (SELECT value FROM json_each(?))"
        )
        conditions.append(f"action_key IN ({made_for})")
        parameters += [json.dumps(list(choice.documents))] * 2
    if choice.older_than_days is not None:
        conditions.append("created_at < ?")
        parameters.append(time.time() - choice.older_than_days * 86_400)
    if not choice.with_parts and not choice.stages:
        conditions.append("stage IN (SELECT stage FROM refs)")
    connection.execute("DROP TABLE IF EXISTS temp.chosen")
    connection.execute("CREATE TEMP TABLE chosen (action_key TEXT PRIMARY KEY) WITHOUT ROWID")
    found = f"SELECT action_key FROM actions WHERE {' AND '.join(conditions)}"
    connection.execute(f"INSERT INTO temp.chosen {found}", parameters)
    if choice.with_parts:
        connection.execute(
            "INSERT OR IGNORE INTO temp.chosen WITH RECURSIVE parts (key) AS (SELECT action_key FROM temp.chosen UNION"
            " SELECT origins.action_key FROM parts JOIN origins ON owner = key) SELECT key FROM parts"
        )
        if choice.stages and not (choice.documents or choice.models or choice.older_than_days is not None):
            # The requests of results from before origins were recorded.
            connection.execute(
                "INSERT OR IGNORE INTO temp.chosen SELECT action_key FROM requests"
                " WHERE stage IN (SELECT value FROM json_each(?))",
                (json.dumps(list(choice.stages)),),
            )
        connection.execute("DELETE FROM temp.chosen WHERE action_key NOT IN (SELECT action_key FROM actions)")
