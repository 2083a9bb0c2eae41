"""What a stage is: a plain function and the declaration of what decides its result.

This module has the record and the decorators. Stages are run by engine, listed in wiring, and shown to Dagster by assets.

A stage's function says by its signature what it needs: its positional parameters are its inputs (`source`, the names of
other stages, or a corpus input by its annotation), its keyword-only parameters are what it uses from outside, found by name
among the pipeline's resources. Both are in the action key: inputs by content digest, resources by their `identity`.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum, auto
from typing import Any, Literal, Protocol, get_type_hints, runtime_checkable

import msgspec

from io_managers.store.fingerprint import Part
from resources.tables.table_spec import TableSpec
from resources.wording import counted, shortened
from seed_assets.graph.corpus_inputs import CorpusInput
from seed_assets.graph.declared_checks import StageCheck

# The input that is the document's file itself.
SOURCE = "source"
# The keyword-only parameter through which a stage makes further actions (single embeddings, single requests).
REUSE = "reuse"
# The keyword-only parameter through which a stage has a text processed by a worker process.
WORK = "work"
# Longer previews make Dagster's event log grow: 400 characters took 11 KB an event.
PREVIEW_CHARACTERS = 160
# So much is kept of the warnings of a result beside it, for the same reason; the value itself has all of them.
_MOST_WARNINGS, _WARNING_CHARACTERS = 10, 400

Kind = Literal["value", "sink", "maintenance"]


def shows_nothing(value: Any) -> Mapping[str, Any]:
    """What else a page shows of a value of a stage that declares nothing."""
    return {}


class Units(StrEnum):
    """What a stage has one result of: each document, each cluster type, each cluster, or the corpus as a whole."""

    DOCUMENTS = auto()
    CLUSTER_TYPES = auto()
    CLUSTERS = auto()
    CORPUS = auto()


class Source(msgspec.Struct, frozen=True):
    """A document's file. data: its bytes. format: see resources.corpus.formats.format_of."""

    data: bytes
    format: str


@runtime_checkable
class WarmsUp(Protocol):
    """A resource of a stage that takes a while to start."""

    def warm_up(self) -> None:
        """Begin to start; the caller does not wait for it."""
        ...


@runtime_checkable
class Identified(Protocol):
    """A resource of a stage that decides its results."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything about it that decides results, and nothing else."""
        ...


@runtime_checkable
class OfFiles(Protocol):
    """A resource whose identity is decided by files outside of the project."""

    @property
    def files(self) -> Sequence[str]:
        """These files and folders, also those that would decide it if they existed."""
        ...


@runtime_checkable
class IdentifiedByFormat(OfFiles, Protocol):
    """A resource that decides the results of documents in some formats only."""

    def identity_of(self, format: str) -> Mapping[str, Part]:
        """Everything about it that decides results for a format, by name; nothing if it does not concern the format."""
        ...


@runtime_checkable
class RecordsChanges(Protocol):
    """A resource that says what each version of its method changed, for people who ask why a result is computed again."""

    @property
    def changes(self) -> Mapping[str, str]:
        """Version -> a sentence on what changed with it. The first version has none."""
        ...


@runtime_checkable
class OfPrompts(Protocol):
    """A resource whose identity holds digests of texts that people write, such as prompts."""

    @property
    def prompt_texts(self) -> Mapping[str, bytes]:
        """Content digest, as in the identity -> the bytes of the text. They are kept in the store beside the results."""
        ...


@runtime_checkable
class OfSettings(Protocol):
    """A resource that knows by which settings of the user its identity is decided."""

    def setting_of(self, path: str) -> str:
        """The setting that decides the part of the identity at this path, such as `fields.author`; "" if it knows none.

        An empty path means the identity as a whole, or the kind.
        """
        ...


@runtime_checkable
class OfKind(Protocol):
    """A resource of which only the kind is in the key of a stage that reuses by inputs."""

    @property
    def kind(self) -> str:
        """The kind of the resource, such as a model or an offline method."""
        ...


@dataclass(frozen=True, slots=True)
class Finds:
    """What the stage that finds the clusters declares. Its units are cluster types.

    sizes: gives for a value of the stage each cluster's id, `<cluster type>/<number>`, and its number of members. smallest: the
    fewest members of a cluster.
    """

    sizes: Callable[[Any], Mapping[str, int]]
    smallest: int = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the pipeline.

    kind: "value" (one value per unit), "sink" (the rows of each unit in a table), "maintenance" (work on
    tables, once for the corpus).
    inputs: the names of its inputs; input_types: what each is decoded as; corpus_inputs: those that look at the corpus; the
    others are names of stages of the same units, or `source`. uses: names of resources. preview: makes a line that shows a value
    to people. show: makes what else a page shows of a value, by name: numbers, texts, tables (ShownTable), PNG files; if the
    units are clusters, their page has one row for each of them. problem: says what is wrong with a value made of its inputs, or
    ""; a wrong value is never kept, and its document fails. warnings: gives the sentences that people should read about a value,
    such as what could not be read; they are kept beside the value, so that they are found without opening it; None if its values
    have none. reuse: what its resources contribute
    to its key: everything that decides a result ("all"), or only their kind ("inputs"), so that a result stays as long as its
    inputs do. changes: version -> a sentence on what changed with it; the first version has none. continues: whether a result
    continues from the previous one, which does not decide whether it is current; such a stage can be asked to begin from scratch.
    finds: what the stage that finds clusters declares. checks: the checks of all that
    it has published.

    table: the table that a sink writes, or that maintenance works on. table_spec: its columns, if it is not one of the project's.
    vectors: the resource that says how many numbers a vector in a sink's table has; "" if the table has none. every_unit: whether
    each unit of a sink has a row in every case. works_on: the sinks whose rows maintenance looks at.

    declared_in: where a stage that is not the project's own is declared, such as `module my_stages`; for messages.
    code: the source of such a stage, to say when it has changed and its version has not; it is in no key. "" if it is not known.
    seconds: how long its code may take for one unit, without what it asks or waits for; None for no limit.
    """

    name: str
    kind: Kind
    version: str
    function: Callable[..., Any]
    inputs: tuple[str, ...]
    input_types: Mapping[str, Any]
    uses: tuple[str, ...]
    returns: Any
    corpus_inputs: Mapping[str, CorpusInput] = field(default_factory=dict[str, CorpusInput])
    table: str = ""
    vectors: str = ""
    every_unit: bool = False
    works_on: tuple[str, ...] = ()
    preview: Callable[[Any], str] = lambda value: ""
    units: Units = Units.DOCUMENTS
    reuse: Literal["all", "inputs"] = "all"
    continues: bool = False
    finds: Finds | None = None
    checks: tuple[StageCheck, ...] = ()
    show: Callable[[Any], Mapping[str, Any]] = shows_nothing
    problem: Callable[..., str] = lambda value, *inputs: ""
    warnings: Callable[[Any], Sequence[str]] | None = None
    changes: Mapping[str, str] = field(default_factory=dict[str, str])
    table_spec: TableSpec | None = None
    declared_in: str = ""
    code: str = ""
    seconds: float | None = None

    @property
    def description(self) -> str:
        """What the user reads in Dagster: the function's docstring."""
        return inspect.cleandoc(self.function.__doc__ or "")

    @property
    def upstream(self) -> tuple[str, ...]:
        """The stages whose results of the same unit are its inputs."""
        return tuple(name for name in self.inputs if name != SOURCE and name not in self.corpus_inputs)

    @property
    def over(self) -> tuple[str, ...]:
        """The stages whose published results it looks at as a whole."""
        seen = (name for one in self.corpus_inputs.values() for name in one.looks_at)
        return tuple(dict.fromkeys((*self.works_on, *seen)))

    @property
    def by_cluster_type(self) -> bool:
        """Whether its partitions are cluster types."""
        return self.units in (Units.CLUSTER_TYPES, Units.CLUSTERS)

    def warnings_beside(self, value: Any) -> list[str]:
        """Return the warnings that are kept beside a value: a limited number of them, each of limited length."""
        found = list(self.warnings(value)) if self.warnings is not None else []
        kept = [shortened(warning, _WARNING_CHARACTERS) for warning in found[:_MOST_WARNINGS]]
        if len(found) > _MOST_WARNINGS:
            kept.append(f"There are {counted(len(found) - _MOST_WARNINGS, 'more warning')}.".replace("are 1 ", "is 1 "))
        return kept

    def cluster_type(self, unit: str) -> str:
        """The cluster type of a unit, which is a cluster or the type itself; "" for other units."""
        if self.units is Units.CLUSTERS:
            return unit.rpartition("/")[0]
        return unit if self.units is Units.CLUSTER_TYPES else ""

    def with_inputs(self, *bound: CorpusInput) -> "Stage":
        """The same stage with these corpus inputs, which know the settings, instead of those of the same classes."""
        by_class = {type(one): one for one in bound}
        inputs = {name: by_class.get(type(one), one) for name, one in self.corpus_inputs.items()}
        return replace(self, corpus_inputs=inputs)


def value_stage(
    *,
    version: str,
    preview: Callable[[Any], str],
    changes: Mapping[str, str] | None = None,
    units: Units = Units.DOCUMENTS,
    reuse: Literal["all", "inputs"] = "all",
    continues: bool = False,
    finds: Finds | None = None,
    checks: tuple[StageCheck, ...] = (),
    show: Callable[[Any], Mapping[str, Any]] = shows_nothing,
    problem: Callable[..., str] = lambda value, *inputs: "",
    warnings: Callable[[Any], Sequence[str]] | None = None,
) -> Callable[[Callable[..., Any]], Stage]:
    """Declare an async function of one unit as a stage; its value is kept in the store.

    version: raise it whenever the same inputs give another result; it recomputes everything. The rest: see Stage.
    """
    return lambda function: replace(
        _stage(function, kind="value", version=version, preview=preview, changes=changes or {}),
        units=units,
        reuse=reuse,
        continues=continues,
        finds=finds,
        checks=checks,
        show=show,
        problem=problem,
        warnings=warnings,
    )


def sink_stage(
    *,
    version: str,
    table: str | TableSpec,
    changes: Mapping[str, str] | None = None,
    units: Units = Units.DOCUMENTS,
    vectors: str = "",
    every_unit: bool = False,
) -> Callable[[Callable[..., Any]], Stage]:
    """Declare a function (unit, content_digest, *inputs) -> rows as the writer of a table.

    version: raise it whenever the same inputs give other rows. table: one of the project's tables by its name, or a table that is
    declared here. The rest: see Stage.
    """
    spec = None if isinstance(table, str) else table
    name = table if isinstance(table, str) else table.name
    return lambda function: replace(
        _stage(function, kind="sink", version=version, table=name, table_spec=spec, changes=changes or {}),
        units=units,
        vectors=vectors,
        every_unit=every_unit,
    )


def maintenance_stage(
    *, version: str, table: str, works_on: tuple[str, ...], changes: Mapping[str, str] | None = None
) -> Callable[[Callable[..., Any]], Stage]:
    """Declare a function (tables, *, what it uses) -> state of the table, called once for the corpus.

    works_on: the sinks whose rows it looks at through the tables; snapshots of what they published are in its key.
    """
    return lambda function: replace(
        _stage(function, kind="maintenance", version=version, table=table, changes=changes or {}),
        units=Units.CORPUS,
        works_on=works_on,
        inputs=(),
        input_types={},
    )


def _stage(function: Callable[..., Any], *, kind: Kind, version: str, **options: Any) -> Stage:
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    inputs = [parameter.name for parameter in parameters if parameter.kind is not inspect.Parameter.KEYWORD_ONLY]
    if kind == "sink":
        inputs = inputs[2:]  # the unit and content_digest are given to every sink
    if bare := [name for name in inputs if name not in hints]:
        raise TypeError(
            f"{function.__name__}: its parameter {bare[0]} needs an annotation, the type that the input is read as"
        )
    declared = {name: one for name in inputs for one in _extras(hints[name]) if isinstance(one, CorpusInput)}
    return Stage(
        name=function.__name__,
        kind=kind,
        version=version,
        function=function,
        inputs=tuple(inputs),
        input_types={name: hints[name] for name in inputs},
        corpus_inputs=declared,
        uses=tuple(parameter.name for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY),
        returns=hints.get("return", Any),
        **options,
    )


def _extras(hint: Any) -> tuple[Any, ...]:
    """The annotations of a parameter beside its type."""
    return getattr(hint, "__metadata__", ())
