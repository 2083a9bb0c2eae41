"""What settings and modules of users add to the pipeline: stages, their resources, and stages that cannot run as things are.

This module joins them with the project's own stages and refuses what does not fit. Settings and modules are read elsewhere.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resources.errors import ConfigurationError
from resources.tables.lance_schema import TABLES
from seed_assets.graph.stage import SOURCE, Stage

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


def is_stage_name(name: str) -> bool:
    """Whether a stage may have this name: small letters, digits and underscores, a letter first, at most 100 characters."""
    return _NAME.fullmatch(name) is not None


@dataclass(frozen=True)
class Additions:
    """Stages that are not the project's own.

    resources: those of single stages, each under `<stage>.<parameter>`. left_out: name of a stage -> a sentence that says why it
    is declared and cannot be in the pipeline; what depends on it is left out as well, and everything else runs. files: those that
    decide what is declared.
    """

    stages: Sequence[Stage] = ()
    resources: Mapping[str, Any] = field(default_factory=dict[str, Any])
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    files: Sequence[str] = ()


def joined(
    own: Sequence[Stage], additions: Iterable[Additions], reserved: Collection[str] = ()
) -> tuple[list[Stage], Additions]:
    """Return all stages, each after its inputs, and all additions as one.

    own: the project's stages, in order. reserved: names of stages that it has under other settings.

    Raises ConfigurationError, which names the stage, where it is declared and what is wrong.
    """
    found = list(additions)
    left_out = {name: why for one in found for name, why in one.left_out.items()}
    stages = [stage for one in found for stage in one.stages]
    _check_names({*reserved, *(stage.name for stage in own)}, stages, left_out)
    _check_tables(stages)
    ordered = _ordered(own, stages, left_out)
    resources = {name: value for one in found for name, value in one.resources.items()}
    files = [path for one in found for path in one.files]
    return [*own, *ordered], Additions(ordered, resources, left_out, files)


def _ordered(own: Sequence[Stage], added: Sequence[Stage], left_out: dict[str, str]) -> list[Stage]:
    """The added stages that can run, each after its inputs. Those that depend on one that is left out join it."""
    placed = {stage.name: stage for stage in own}
    waiting = {stage.name: stage for stage in added}
    for stage in added:
        _check_inputs(stage, {**placed, **waiting}, left_out)
    ordered: list[Stage] = []
    while waiting:
        for stage in waiting.values():
            needed = (*stage.upstream, *stage.over)
            if gone := [name for name in needed if name in left_out]:
                left_out[stage.name] = f"it needs {gone[0]}, which is left out"
            elif all(name in placed for name in needed):
                placed[stage.name] = stage
                ordered.append(stage)
            else:
                continue
            del waiting[stage.name]
            break
        else:
            raise ConfigurationError(
                f"The stages {_listed(waiting.values())} are made of each other in a circle, so none of them can be the first. "
                "Take one of these inputs away."
            )
    return ordered


def _check_names(reserved: Collection[str], added: Sequence[Stage], left_out: Mapping[str, str]) -> None:
    known = dict.fromkeys(reserved, "the project")
    for stage in added:
        if not is_stage_name(stage.name):
            raise _unusable(
                stage,
                "its name has to begin with a small letter and consist of small letters, digits and underscores, at most 100",
            )
        if stage.name == SOURCE:
            raise _unusable(stage, "its name is that of the document's file among the inputs. Choose another name")
        if stage.name in known or stage.name in left_out:
            other = known.get(stage.name, "the settings")
            raise _unusable(
                stage,
                f"{other} has a stage of this name already. Rename one of them; a renamed stage is computed again",
            )
        known[stage.name] = stage.declared_in


def _check_tables(added: Sequence[Stage]) -> None:
    writers: dict[str, Stage] = {}
    for stage in added:
        if stage.kind != "sink":
            continue
        if stage.table_spec is None or stage.table in TABLES:
            raise _unusable(
                stage,
                f"the table {stage.table} is one of the project's own. Declare a table of another name",
            )
        if problem := stage.table_spec.problem():
            raise _unusable(stage, f"its table {stage.table} cannot be made: {problem}")
        other = writers.setdefault(stage.table, stage)
        if other is not stage:
            raise _unusable(stage, f"{other.name} writes the table {stage.table} too. Each needs a table of its own")


def _check_inputs(stage: Stage, known: Mapping[str, Stage], left_out: Mapping[str, str]) -> None:
    for name in (*stage.upstream, *stage.over):
        if name in left_out:
            continue
        if name not in known or known[name].kind != "value":
            usable = sorted(
                other.name for other in known.values() if other.kind == "value" and other.units is stage.units
            )
            raise _unusable(
                stage, f"its input {name} is no stage with values. There are {SOURCE} and {', '.join(usable)}"
            )
    for name in stage.upstream:
        if name in left_out:
            continue
        before, wanted = known[name], stage.input_types[name]
        if before.units is not stage.units:
            raise _unusable(
                stage,
                f"it has one result for each of the {stage.units.value}, and its input {name} has one for each of the "
                f"{before.units.value}. Results of other units are read through a corpus input",
            )
        if wanted is not Any and _other_class(before.returns, wanted):
            raise _unusable(
                stage,
                f"its input {name} is annotated as {wanted.__qualname__}, and is a {before.returns.__qualname__}",
            )


def _other_class(given: Any, wanted: Any) -> bool:
    if given is Any:  # which is a class from Python 3.11 on
        return False
    return isinstance(given, type) and isinstance(wanted, type) and not issubclass(given, wanted)


def _unusable(stage: Stage, reason: str) -> ConfigurationError:
    return ConfigurationError(f"The stage {stage.name} ({stage.declared_in}) cannot be used: {reason}.")


def _listed(stages: Iterable[Stage]) -> str:
    return ", ".join(f"{stage.name} ({stage.declared_in})" for stage in stages)
