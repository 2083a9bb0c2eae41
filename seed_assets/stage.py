"""What a stage is: a plain function and the declaration of what decides its result.

What belongs here: the record and the decorators. What does not: running stages (runner, sink), naming the ones that
exist (pipeline), and Dagster (assets).

A stage's function says by its signature what it needs: its positional parameters are its inputs (`source`, a view of the
corpus, or the names of other stages), its keyword-only parameters are what it uses from outside, found by name among the
pipeline's resources. Both are in the action key: inputs by content digest, resources by their `identity`.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, get_type_hints, runtime_checkable

import msgspec

from io_managers.store.fingerprint import Part

# The input that is the document's file itself.
SOURCE = "source"
# The keyword-only parameter through which a stage makes actions of its own (single embeddings, single requests).
REUSE = "reuse"
# Longer previews make Dagster's event log grow: 400 characters took 11 KB an event.
PREVIEW_CHARACTERS = 160

Kind = Literal["value", "sink", "upkeep"]
Units = Literal["documents", "cluster_types", "clusters", "corpus"]
"""What a stage has one result of: each document, each cluster type, each cluster, or the corpus as a whole."""


class Source(msgspec.Struct, frozen=True):
    """A document's file. format: a value of resources.formats.SUFFIXES."""

    data: bytes
    format: str


@runtime_checkable
class Identified(Protocol):
    """Something that a stage uses and that decides its result."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything about it that decides results, and nothing else."""
        ...


@runtime_checkable
class OfKind(Protocol):
    """Something of whose identity a stage that reuses by inputs minds the kind alone."""

    @property
    def kind(self) -> str:
        """Which."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the pipeline.

    kind: "value" (a value a unit), "sink" (a unit's rows in a table), "upkeep" (work on tables, once for the corpus).
    inputs: names of stages of the same units, of views, or `source`; input_types: what each is decoded as. over: stages
    whose published results are looked at as a whole. uses: names of resources. table: of a sink, the table it writes.
    preview: a line that shows a value to people; show: what else of it a page shows, by name: numbers, words, PNG files.
    problem: what is wrong with a value made of its inputs, in words, or "": such a value is never kept, its document fails.
    reuse: what of its resources is in its key, all that decides a result,
    or with "inputs" only their kind: a result stays as long as its inputs do. continues: whether a result goes on from
    the one before it, which says nothing of whether it is current.
    """

    name: str
    kind: Kind
    version: str
    function: Callable[..., Any]
    inputs: tuple[str, ...]
    input_types: Mapping[str, Any]
    uses: tuple[str, ...]
    returns: Any
    table: str = ""
    preview: Callable[[Any], str] = lambda value: ""
    units: Units = "documents"
    over: tuple[str, ...] = ()
    reuse: Literal["all", "inputs"] = "all"
    continues: bool = False
    show: Callable[[Any], Mapping[str, Any]] = lambda value: {}
    problem: Callable[..., str] = lambda value, *inputs: ""

    @property
    def description(self) -> str:
        """What the user reads in Dagster: the function's docstring."""
        return inspect.cleandoc(self.function.__doc__ or "")


def value_stage(
    *,
    version: str,
    preview: Callable[[Any], str],
    units: Units = "documents",
    over: tuple[str, ...] = (),
    reuse: Literal["all", "inputs"] = "all",
    continues: bool = False,
    show: Callable[[Any], Mapping[str, Any]] = lambda value: {},
    problem: Callable[..., str] = lambda value, *inputs: "",
) -> Callable[[Callable[..., Any]], Stage]:
    """Declare an async function of one unit as a stage; its value is kept in the store.

    version: raise it whenever the same inputs give another result; it recomputes everything. The rest: see Stage.
    """
    return lambda function: replace(
        _stage(function, kind="value", version=version, preview=preview),
        units=units,
        over=over,
        reuse=reuse,
        continues=continues,
        show=show,
        problem=problem,
    )


def sink_stage(
    *, version: str, table: str, units: Units = "documents", over: tuple[str, ...] = ()
) -> Callable[[Callable[..., Any]], Stage]:
    """Declare a function (unit, content_digest, *inputs) -> rows as the writer of a table.

    version: raise it whenever the same inputs give other rows.
    """
    return lambda function: replace(_stage(function, kind="sink", version=version, table=table), units=units, over=over)


def upkeep_stage(*, version: str, table: str, over: tuple[str, ...]) -> Callable[[Callable[..., Any]], Stage]:
    """Declare a function (tables, *, what it uses) -> state of the table, called once for the corpus.

    over: the stages whose published results it looks at through the tables; snapshots of them are in its key.
    """
    return lambda function: replace(
        _stage(function, kind="upkeep", version=version, table=table),
        units="corpus",
        over=over,
        inputs=(),
        input_types={},
    )


def _stage(function: Callable[..., Any], *, kind: Kind, version: str, **options: Any) -> Stage:
    hints = get_type_hints(function)
    parameters = inspect.signature(function).parameters.values()
    inputs = [parameter.name for parameter in parameters if parameter.kind is not inspect.Parameter.KEYWORD_ONLY]
    if kind == "sink":
        inputs = inputs[2:]  # the unit and content_digest are given to every sink
    return Stage(
        name=function.__name__,
        kind=kind,
        version=version,
        function=function,
        inputs=tuple(inputs),
        input_types={name: hints[name] for name in inputs},
        uses=tuple(parameter.name for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY),
        returns=hints.get("return", Any),
        **options,
    )
