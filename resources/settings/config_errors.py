"""Messages about wrong settings. They give the name, the value found, what is allowed, and the name that was probably meant.

The settings themselves are in `config`.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from resources.wire.addresses import shown_address
from resources.wording import shortened

# How many characters of a wrong value a message shows, so that the message stays on a line or two.
_LONGEST_SHOWN = 60


def setting_names(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Yield (path, field) of every setting that has a value of its own, in the order of the model."""
    for name, field in model.model_fields.items():
        path = (*above, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from setting_names(field.annotation, path)
        else:
            yield path, field


def settings_below(field: FieldInfo) -> type[BaseModel] | None:
    """Return the settings of each entry of a setting that is a table of tables; None for any other setting."""
    if get_origin(field.annotation) is not dict:
        return None
    _, kind = get_args(field.annotation)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def variable_name(path: tuple[str, ...], prefix: str) -> str:
    """Return the name of a setting in the environment."""
    return prefix + "__".join(path).upper()


def unknown_variables(
    model: type[BaseModel], environment: Mapping[str, str], prefix: str, others: frozenset[str]
) -> list[str]:
    """Return a sentence for each variable with the prefix that sets nothing. Otherwise a typing error would have no effect."""
    paths = [path for path, _ in setting_names(model)]
    sections = {path[:length] for path in paths for length in range(1, len(path))}
    known = {variable_name(path, prefix) for path in [*paths, *sections]} | others
    found: list[str] = []
    for name in sorted(environment):
        if name.upper().startswith(prefix) and name.upper() not in known:
            offered = sorted(known - {variable_name(path, prefix) for path in sections})
            found.append(f"there is no setting {name} in the environment{_nearest(name.upper(), offered, prefix)}")
    return found


def wrong_settings(
    model: type[BaseModel], error: ValidationError, environment: Mapping[str, str], prefix: str
) -> list[str]:
    """Return a sentence, without a full stop, for each wrong setting except variables that `unknown_variables` reports."""
    fields = dict(setting_names(model))
    names = [".".join(path) for path in fields]
    tables = sorted({f"[{path[0]}]" for path in fields if len(path) > 1})
    set_names = {name.upper() for name in environment}
    found: list[str] = []
    for problem in error.errors():
        path = tuple(str(part) for part in problem["loc"])
        if (entry := settings_below(fields[path[:1]]) if path[:1] in fields else None) is not None:
            found.append(_wrong_entry(entry, path, problem))
            continue
        name = ".".join(path)
        parts = [below for below in names if below.startswith(name + ".")]
        if problem["type"] == "extra_forbidden" and variable_name(path, prefix) in set_names:
            continue
        if parts and problem["type"] == "model_type":
            sentence = f"{name}: a table [{name}] is needed, with {', '.join(parts)}"
        elif problem["type"] == "extra_forbidden":
            # Its value may be a secret under a mistyped name.
            sentence = f"there is no setting {name}{_nearest(name, [*names, *tables])}"
        else:
            shown = _shown(problem["input"]) if path in fields and not _is_secret(fields[path]) else ""
            variable = f" ({variable_name(path, prefix)})" if path in fields else ""
            sentence = f"{name}{shown}{variable}: {problem['msg'].removeprefix('Value error, ')}"
        if sentence not in found:
            found.append(sentence)
    return found


def _wrong_entry(model: type[BaseModel], path: Sequence[str], problem: Any, above: str = "") -> str:
    """The sentence about a setting of an entry. path: such as (extract, parties, rows), below `above`."""
    inner = model.model_fields.get(path[2]) if len(path) > 3 else None
    if inner is not None and (below := settings_below(inner)) is not None:
        return _wrong_entry(below, path[2:], problem, f"{above}{path[0]}.{path[1]}.")
    name = f"{above}{'.'.join(path)}"
    known = [field.alias or own for own, field in model.model_fields.items()]
    if problem["type"] == "extra_forbidden":
        return f"there is no setting {name}{_nearest(path[-1], known)}"
    if len(path) == 1 or problem["type"] == "model_type":
        return f"{name}: a table [{name}{'.NAME' if len(path) == 1 else ''}] is needed, with {', '.join(known)}"
    shown = "" if isinstance(problem["input"], dict) else _shown(problem["input"])
    return f"{name}{shown}: {problem['msg'].removeprefix('Value error, ')}"


def _nearest(name: str, known: list[str], prefix: str = "") -> str:
    """Return the known name that is most similar, without the common prefix; if none is similar, return all of them."""
    ends = [other.removeprefix(prefix) for other in known]
    close = difflib.get_close_matches(name.removeprefix(prefix), ends, n=1, cutoff=0.6)
    return f" (is {prefix}{close[0]} meant?)" if close else f" (there are {', '.join(known)})"


def _shown(value: Any) -> str:
    value = shown_address(value) if isinstance(value, str) and "://" in value else value
    text = repr(str(value) if not isinstance(value, int | float | str) else value)
    return f" = {shortened(text, _LONGEST_SHOWN)}"


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr.__name__ in str(field.annotation)
