"""Compares the rows of a table with what they were written from, by content, and notes which must be written again.

This module finds the units whose rows differ, and how. Tables are read in resources.tables.lance_contents, the rows that should
be there are made in expected_rows, and rows are written in sink.

The first comparison runs beside other processes that may write. What it finds is compared again under the table's lease, so that
a run under way is no fault, and only the second result is reported and noted. The tables are never changed here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from io_managers.store.refs import Ref
from resources.tables.lance_contents import OwnedRows, TableContents, rows_by_owner, text_of
from resources.tables.lance_errors import TableDamagedError, TableError, TableSchemaError, foreign
from resources.tables.lance_marker import read_mark
from seed_assets.checking.expected_rows import ExpectedRows
from seed_assets.engine.cluster_level import vanished
from seed_assets.engine.currency import published_currency, row_currency
from seed_assets.engine.damage import DAMAGED, DOUBTED, UNREADABLE, note, note_maintenance, reason
from seed_assets.engine.runner import Runner
from seed_assets.engine.table_leases import from_scratch, table_held
from seed_assets.graph.declared_checks import Finding
from seed_assets.graph.stage import Stage, Units

if TYPE_CHECKING:
    import pyarrow as pa

# For so many units the rows are compared column by column, to name a column that differs; for others it is only said that rows
# differ. This keeps the report short and bounds the memory.
_LAID_OUT = 200
STRANGER = "its rows are there, and it is not published"
OTHERS = (
    "the table was changed by another program, or another was put in its place; its rows are as they were written, and "
    "the next seed takes note of that"
)
NO_MARK = (
    "its file `seedbank.json` is gone or damaged; its rows are as they were written, and the next seed rebuilds it"
)


def rows_as_published(runner: Runner, stage: str) -> Finding:
    """Whether the table has exactly the rows that were published, each column as it follows from the stored results. Rows that
    differ are noted, and the next seed writes them again from the store.
    """
    return _Comparison(runner, runner.pipeline.stages[stage]).finding()


@dataclass(slots=True)
class _Look:
    """One look at a table. found, expected: by unit. rows: of some units, as they are. differing: unit -> what differs."""

    refs: Mapping[str, Ref]
    contents: TableContents
    expected: ExpectedRows
    found: dict[str, OwnedRows] = field(default_factory=dict[str, OwnedRows])
    rows: "list[pa.Table]" = field(default_factory=list["pa.Table"])
    differing: dict[str, str] = field(default_factory=dict[str, str])
    # Those of them that are no damage of the table: the values that their rows are made of cannot be opened.
    unopened: set[str] = field(default_factory=set[str])
    alike: int = 0


class _Comparison:
    def __init__(self, runner: Runner, stage: Stage) -> None:
        self._runner = runner
        self._stage = stage
        self._spec = runner.tables.specs[stage.table]
        # Unit -> the key that its expected rows are of, and these: they are not made twice.
        self._made: dict[str, tuple[str, OwnedRows]] = {}

    def finding(self) -> Finding:
        """See rows_as_published."""
        runner, stage = self._runner, self._stage
        refs = runner.store.refs.get(stage.name)
        finding = Finding(looked_at=len(refs))
        if runner.tables.version(stage.table) is None:
            # The next plan finds this by itself. The table is at fault, and not each unit that should have rows in it.
            finding.offenders = {stage.name: "the table is not there"} if refs else {}
            return finding
        try:
            look = self._look(refs, frozenset())
            if look.differing or look.contents.unread:
                first = frozenset(sorted(look.differing)[:_LAID_OUT])
                look = from_scratch(lambda: self._looked_at_alone(first))
        except TableError as error:
            finding.offenders = {stage.name: str(error)}
            self._note_fault(error, refs)
            return finding
        finding.offenders = {unit or stage.name: problem for unit, problem in look.differing.items()}
        if look.contents.rows and read_mark(runner.tables.folder(stage.table)) is None:
            self._check_unmarked(look, finding)
        elif not finding.offenders and not self._holds_what_was_written(look.refs.values()):
            finding.offenders = {stage.name: OTHERS}
        if stage.units is Units.CLUSTERS:
            finding.offenders |= dict.fromkeys(
                vanished(runner, runner.published_corpus()), "there is no such cluster any more"
            )
        finding.figures = {"rows": look.contents.rows, "units": len(look.refs)}
        return finding

    def _looked_at_alone(self, lay_out: AbstractSet[str]) -> _Look:
        """Compare while no other process writes, and note what is wrong."""
        runner, stage = self._runner, self._stage
        with table_held(runner.store.leases, runner.tables, stage.table) as held:
            look = self._look(runner.store.refs.get(stage.name), lay_out)
            held.prove()
            self._note_rows(look)
        return look

    def _look(self, refs: Mapping[str, Ref], lay_out: AbstractSet[str]) -> _Look:
        """Compare all rows. lay_out: the units of which it is to be said which column differs."""
        runner, stage, spec = self._runner, self._stage, self._spec
        contents = TableContents(runner.tables, stage.table)
        look = _Look(refs, contents, ExpectedRows(runner, stage, sorted(refs), contents.schema))
        for piece in contents.pieces():
            rows_by_owner(spec, piece, look.found)
            if lay_out:
                owners = piece[spec.owner].to_pylist() if spec.owner else [b""] * piece.num_rows
                look.rows.append(piece.filter([text_of(owner) in lay_out for owner in owners]))
        self._make_expected(look)
        for unit in sorted(refs.keys() | look.found.keys()):
            if problem := self._problem(look, unit, unit in lay_out):
                look.differing[unit] = problem
        return look

    def _make_expected(self, look: _Look) -> None:
        """Make the expected rows of the units whose rows were written from what is published now; those of others are unknown."""
        keys = look.expected.keys
        wanted = [
            unit
            for unit, ref in sorted(look.refs.items())
            if published_currency(ref, keys.get(unit)) == "current" and self._made.get(unit, ("",))[0] != ref.action_key
        ]
        for unit, rows in look.expected.owned(wanted).items():
            self._made[unit] = keys[unit], rows

    def _problem(self, look: _Look, unit: str, laid_out: bool) -> str:
        """What is wrong with the rows of a unit; "" for nothing."""
        ref, found = look.refs.get(unit), look.found.get(unit, OwnedRows())
        if ref is None:
            return STRANGER
        key, expected = self._made.get(unit, ("", None))
        if key != ref.action_key:
            expected = None
        if expected is not None and found == expected:
            look.alike += found.rows
            return ""
        if look.contents.fault is not None and (expected is None or found.rows < expected.rows):
            return look.contents.fault.reason.replace("it cannot", "its rows cannot", 1)
        if found.content_digests - {ref.content_digest}:
            return "its rows are not those that were published"
        if unit in look.expected.problems:
            look.unopened.add(unit)
            return f"what its rows were written from cannot be opened: {look.expected.problems[unit]}"
        if expected is None:
            return "its rows are missing" if not found.rows and self._stage.every_unit else ""
        if not found.rows:
            return "its rows are missing"
        rows = look.expected.rows(unit) if laid_out else None
        if rows is not None and (difference := _difference(self._spec.key, rows, self._found_rows(look, unit))):
            return difference
        if found.rows != expected.rows:
            return f"it has {found.rows} rows, not {expected.rows}"
        return "its rows are not what they were written from"

    def _found_rows(self, look: _Look, unit: str) -> "pa.Table":
        import pyarrow as pa

        rows = pa.concat_tables(look.rows)
        if not self._spec.owner:
            return rows
        return rows.filter([text_of(owner) == unit for owner in rows[self._spec.owner].to_pylist()])

    def _note_rows(self, look: _Look) -> None:
        """Let the next seed write again what differs."""
        store, refs = self._runner.store, look.refs
        damaged = look.differing.keys() & refs.keys() - look.unopened
        strangers = look.differing.keys() - refs.keys()
        if not look.alike and read_mark(self._runner.tables.folder(self._stage.table)) is None:
            return  # the table may belong to another program
        if look.contents.fault is not None:
            self._note_table(refs)
        elif damaged or strangers:
            note(store, [refs[unit] for unit in damaged], DAMAGED)
            if not damaged and refs:
                # The next write removes rows that belong to no unit.
                note(store, [refs[min(refs)]], DOUBTED)
            note_maintenance(store, self._runner.pipeline, self._stage)

    def _note_table(self, refs: Mapping[str, Ref]) -> None:
        """Let the next seed rebuild the table."""
        note(self._runner.store, refs.values(), UNREADABLE)
        note_maintenance(self._runner.store, self._runner.pipeline, self._stage)

    def _note_fault(self, error: TableError, refs: Mapping[str, Ref]) -> None:
        """Note that an unreadable table must be rebuilt, if it is known to be ours and no other program has written to it."""
        runner, stage = self._runner, self._stage
        mark = read_mark(runner.tables.folder(stage.table))
        ours = mark is not None and any(ref.state.startswith(f"{mark.table_uuid}@") for ref in refs.values())
        unchanged = runner.tables.state(stage.table) is not None
        if ours and (isinstance(error, TableDamagedError) or (isinstance(error, TableSchemaError) and unchanged)):
            self._note_table(refs)

    def _check_unmarked(self, look: _Look, finding: Finding) -> None:
        """Whether a table without a mark is ours: it is if any of its rows is as it should be."""
        folder = self._runner.tables.folder(self._stage.table)
        if not look.alike:
            finding.offenders = {self._stage.name: str(foreign(self._stage.table, folder))}
            return
        finding.offenders = finding.offenders or {self._stage.name: NO_MARK}
        with table_held(self._runner.store.leases, self._runner.tables, self._stage.table):
            self._note_table(self._runner.store.refs.get(self._stage.name))

    def _holds_what_was_written(self, refs: Iterable[Ref]) -> bool:
        """Whether the table is the one that the rows were written to, and no other program has written to it."""
        state = self._runner.tables.state(self._stage.table)
        return all(reason(ref.state) or row_currency(ref, ref.action_key, state) == "current" for ref in refs)


def _difference(key: str, expected: "pa.Table", found: "pa.Table") -> str:
    """The first difference between the rows of a unit, in words; "" if they differ only in bits that no value shows."""
    counts = Counter(text_of(row_key) for row_key in found[key].to_pylist())
    if twice := [name for name, count in counts.items() if count > 1]:
        return f"the row {min(twice)} is there twice"
    wanted = [text_of(row_key) for row_key in expected[key].to_pylist()]
    missing = [name for name in wanted if name not in counts]
    strange = counts.keys() - set(wanted)
    if missing or strange:
        what = f"{missing[0]} is missing" if missing else f"{min(strange)} is one too many"
        counted = (
            f"it has {found.num_rows} rows, not {expected.num_rows}: " if len(missing) != len(strange) else "the row "
        )
        return f"{counted}{what}"
    by_key = {text_of(row_key): place for place, row_key in enumerate(found[key].to_pylist())}
    for place, name in enumerate(wanted):
        for column in expected.column_names:
            mine, theirs = expected[column].slice(place, 1), found[column].slice(by_key[name], 1)
            if not mine.equals(theirs):
                return f"column {column} of the row {name} is not what it was written from"
    return ""
