"""The stages that modules of the user declare, checked, with what they use.

This module reads declarations. Modules are imported in module_import, and joined with the project's stages in graph.additions.
"""

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

from io_managers.store.codecs.codecs import decode, encode
from io_managers.store.codecs.kept_types import unstorable
from io_managers.store.errors import UnencodableError, UnknownFormatError
from io_managers.store.fingerprint import content_digest
from resources.errors import ConfigurationError
from resources.settings.stage_settings import StageSettings
from seed_assets.core.text.text_work import TextWork
from seed_assets.graph.additions import Additions, is_stage_name
from seed_assets.graph.declared_checks import Severity, StageCheck
from seed_assets.graph.stage import Identified, Stage
from seed_assets.own_stages.declared_resources import DeclaredResource, Making, NeedsModelError
from seed_assets.own_stages.module_import import import_users_module
from seed_assets.own_stages.stage_source import is_defined_twice, source_of, users_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from resources.models.model_clients import ModelClients

# What the names of the project's own modules begin with: a stage that a module imports from there is not the user's.
_PROJECT = __name__.partition(".")[0]
_DIGEST_CHARACTERS = 12


def stages_of_modules(
    settings: StageSettings, folder: Path, memory: Path, models: "ModelClients | None", work: TextWork
) -> Additions:
    """Import these modules and return their stages, with the resources that these declare.

    folder: where seedbank.toml is. memory: see import_users_module. models: what makes the models of the settings; None if they
    name none: a stage that asks a model is left out then. Raises ConfigurationError.
    """
    names = settings.modules
    found: dict[int, Stage] = {}
    resources: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    modules = [import_users_module(name, folder, settings.import_seconds, memory=memory) for name in names]
    roots = users_names(names, folder)
    for module in modules:
        declared = [one for one in vars(module).values() if isinstance(one, Stage)]
        own = {id(one): one for one in declared if one.function.__module__.partition(".")[0] != _PROJECT}
        if not own:
            raise ConfigurationError(
                f"The module {module.__name__} of `stages.modules` declares no stage. Write an `async` function with "
                "`@value_stage(...)` in it (`seedbank new stage NAME` writes an example), or take the module out of the list."
            )
        for key, stage in own.items():
            if key in found:
                continue
            place = f"module {stage.function.__module__}"
            _check(stage, place)
            making = Making(stage.name, Path(_file(stage)).parent, models, work)
            try:
                resources |= {f"{stage.name}.{name}": value for name, value in _resources(stage, making)}
            except NeedsModelError as error:
                left_out[stage.name] = str(error)
            else:
                found[key] = _with_code(replace(stage, declared_in=place, seconds=settings.document_seconds), roots)
    return Additions(tuple(found.values()), resources, left_out, tuple(_files(modules, folder)))


def _with_code(stage: Stage, roots: set[str]) -> Stage:
    """The stage with its source. Rows cost nothing, so the source of a sink is a part of its version."""
    code = source_of(stage.function, roots)
    if stage.kind != "sink":
        return replace(stage, code=code, problem=_checked(stage))
    digest = content_digest(code.encode()).partition(":")[2][:_DIGEST_CHARACTERS]
    return replace(stage, version=f"{stage.version}+{digest}")


def _checked(stage: Stage) -> Callable[..., str]:
    """What is wrong with a value: what the stage itself finds, or that it cannot be stored and read back as it is declared."""

    def problem(value: Any, *inputs: Any) -> str:
        if found := stage.problem(value, *inputs):
            return found
        try:
            encoded = encode(value)
            decode(encoded.data, stage.returns, encoded.type_name)
        except (UnencodableError, UnknownFormatError) as error:
            expected = getattr(stage.returns, "__qualname__", stage.returns)
            return f"its stage returns {expected}, and this is none: {str(error).removesuffix('.')}"
        return ""

    return problem


def _check(stage: Stage, place: str) -> None:
    """Raise ConfigurationError if a stage cannot work, whatever the other stages are."""
    parameters = inspect.signature(stage.function).parameters.values()
    if stage.kind == "maintenance" or stage.finds is not None:
        problem = "modules may declare stages with values and sinks only"
    elif is_defined_twice(stage.function):
        problem = "its module defines two functions of this name. Rename one of them"
    elif any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in parameters):
        problem = "its parameters are its inputs, by name, so it cannot have `*` or `**` parameters"
    elif stage.kind == "sink":
        problem = _problem_of_sink(stage)
    else:
        problem = _problem_of_value(stage) or _problem_of_checks(stage.checks)
    if problem:
        raise ConfigurationError(f"The stage {stage.name} ({place}) cannot be used: {problem}.")


def _problem_of_sink(stage: Stage) -> str:
    if inspect.iscoroutinefunction(stage.function):
        return "a sink is a plain function that returns a list of rows, without `async`"
    if stage.uses:
        return f"a sink has no keyword-only parameters, and it has {', '.join(stage.uses)}. Compute the value in a value stage"
    return "" if stage.inputs else "a sink takes the unit, the content digest, and at least one stage"


def _problem_of_value(stage: Stage) -> str:
    if not inspect.iscoroutinefunction(stage.function):
        return "its function has to be `async def`"
    if "return" not in get_type_hints(stage.function):
        return "its function has to say what it returns, as in `-> str`, since the value is stored and read back by it"
    if kind := unstorable(stage.returns):
        return (
            f"it returns {kind}, which no codec can store. Return str, bytes, plain data, a dataclass, a msgspec.Struct, a "
            "pydantic model, a numpy array, a pyarrow Table or a pandas DataFrame"
        )
    return "" if stage.inputs else "it has no inputs; its positional parameters are `source` or names of other stages"


def _problem_of_checks(checks: Any) -> str:
    if not isinstance(checks, tuple) or not all(isinstance(one, StageCheck) for one in checks):
        return "its `checks` have to be a tuple of StageCheck, as in `checks=(StageCheck(...),)`"
    names = [one.name for one in checks]
    for check in checks:
        if not is_stage_name(check.name):
            return f"the name of its check {check.name!r} has to consist of small letters, digits and underscores"
        if names.count(check.name) > 1:
            return f"it has two checks of the name {check.name}"
        if check.severity not in get_args(Severity):
            return f"the severity of its check {check.name} has to be one of {', '.join(get_args(Severity))}"
    return ""


def _resources(stage: Stage, making: Making) -> Iterator[tuple[str, Any]]:
    """(parameter, resource) of the keyword-only parameters whose annotation declares their resource."""
    hints = get_type_hints(stage.function, include_extras=True)
    for name in stage.uses:
        for declared in getattr(hints.get(name), "__metadata__", ()):
            found = declared.made(making) if isinstance(declared, DeclaredResource) else declared
            if isinstance(found, Identified):
                yield name, found


def _file(stage: Stage) -> str:
    return inspect.getfile(stage.function)


def _files(modules: Sequence[ModuleType], folder: Path) -> Iterator[str]:
    """The files of these modules, and of all modules in their packages and beside them that are imported."""
    roots = {module.__name__.partition(".")[0] for module in modules}
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if path and (name.partition(".")[0] in roots or Path(path).parent == folder):
            yield path
