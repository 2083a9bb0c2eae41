"""Settings that are changed by name, as in `--set llm.model=gpt-4o`: the settings of a home with these in their place.

What belongs here: reading assignments. What does not: which settings there are, and messages about wrong ones (config), which are
the same as for the configuration file.
"""

import tomllib
from collections.abc import Sequence
from typing import Any

from resources.errors import ConfigurationError
from resources.settings.config import Settings, load_settings
from resources.settings.config_errors import setting_names

# They say which documents there are and where everything is, so there would be nothing to compare.
_FIXED = ("corpus", "home", "archives", "max_document_mb")


def settings_with(settings: Settings, assignments: Sequence[str]) -> Settings:
    """Return settings in which each `name=value` has taken the place of what was set.

    A value is read as in seedbank.toml, and as text if it is none of its values or the setting is a text. Raises
    ConfigurationError for an assignment without a name or a value, and as load_settings does.
    """
    given: dict[str, Any] = settings.model_dump(exclude_unset=True, by_alias=True)
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip():
            raise ConfigurationError(
                f"{assignment!r} sets nothing. Write the name of a setting and its value: llm.model=NAME."
            )
        if name.strip() in _FIXED:
            raise ConfigurationError(f"{name.strip()} cannot be changed here: it decides which documents there are.")
        _put(given, name.strip(), value.strip())
    return load_settings({"corpus": settings.corpus, "home": settings.home, **given})


def _put(given: dict[str, Any], name: str, value: str) -> None:
    *tables, own = name.split(".")
    place = given
    for table in tables:
        place = place.setdefault(table, {})
        if not isinstance(place, dict):
            raise ConfigurationError(f"{name} cannot be set, since {table} is set to a value as well.")
    place[own] = _read(name, value)


def _read(name: str, value: str) -> Any:
    fields = {".".join(path): field for path, field in setting_names(Settings)}
    if name in fields and fields[name].annotation is str:
        return value
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value
