"""Fields in YAML front matter. What does not belong here: finding the front matter (document_fields), and the form of values
(field_values).

The YAML is read event by event, which is safe for malicious files: no objects are built, aliases are not followed, and deep
nesting is refused.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seed_assets.core.reading.field_values import split_values

if TYPE_CHECKING:
    import yaml

# The longest and deepest front matter that is read; chosen by judgement.
_LONGEST = 500_000
_DEEPEST = 20
_TAGS = frozenset(
    {None, "!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "int", "float", "bool", "null", "timestamp"))}
)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}


def yaml_fields(front: str, problems: list[str]) -> list[tuple[str, list[str]]]:
    """Return (name, values) for each entry of a mapping, and append one sentence per unreadable part to `problems`.

    These sentences are part of stored values, so changing one requires a new version of the stage `fields`.
    """
    import yaml

    if len(front) > _LONGEST:
        problems.append(f"the front matter has {len(front):,} characters; at most {_LONGEST:,} are read.")
        return []
    # The loader in C is ten times as fast, but not part of every build.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return list(_FrontMatter(yaml.parse(front, Loader=loader), problems).fields())
    except yaml.YAMLError as error:
        problems.append(f"the front matter is not valid YAML: {' '.join(str(error).split())[:200]}.")
    except _TooDeepError:
        problems.append(f"the front matter is nested more than {_DEEPEST} deep.")
    return []


class _TooDeepError(Exception):
    """The front matter is nested too deeply."""


class _FrontMatter:
    """One mapping, read event by event."""

    def __init__(self, events: "Iterator[yaml.Event]", problems: list[str]) -> None:
        self._events = events
        self._problems = problems

    def fields(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the fields of the first YAML document. Raises YAMLError or _TooDeepError."""
        import yaml

        first = next((event for event in self._events if isinstance(event, yaml.NodeEvent)), None)
        if first is None:
            return
        if not isinstance(first, yaml.MappingStartEvent):
            if not (isinstance(first, yaml.ScalarEvent) and first.value in _NULLS):
                self._problems.append("the front matter is no list of `name: value`.")
            return
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            name = key.value if isinstance(key, yaml.ScalarEvent) else ""
            if not name:
                self._skip(key)
            values, problem = self._value(next(self._events))
            if not name or problem:
                self._problems.append(f"{name[:80] or 'a name in the front matter'} {problem or 'is no text'}.")
            else:
                yield name, values
        # The rest is parsed too, since an error in it means that the whole text is not YAML.
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                return

    def _value(self, event: "yaml.Event") -> tuple[list[str], str]:
        """Return (the values, the problem with them or "")."""
        import yaml

        if isinstance(event, yaml.ScalarEvent):
            text, problem = _scalar(event)
            return ([] if text is None else split_values(text)), problem
        if isinstance(event, yaml.SequenceStartEvent):
            values: list[str] = []
            problem = _tag_problem(event.tag)
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                if isinstance(item, yaml.ScalarEvent):
                    text, wrong = _scalar(item)
                    values += [] if text is None else [text]
                else:
                    self._skip(item)
                    wrong = "is an alias" if isinstance(item, yaml.AliasEvent) else "holds lists or mappings"
                problem = problem or wrong
            return values, problem
        self._skip(event)
        return [], "is an alias" if isinstance(event, yaml.AliasEvent) else "is a mapping"

    def _skip(self, event: "yaml.Event") -> None:
        import yaml

        depth = isinstance(event, yaml.CollectionStartEvent)
        while depth:
            event = next(self._events)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise _TooDeepError


def _scalar(event: "yaml.ScalarEvent") -> tuple[str | None, str]:
    """Return (the text of a value or None for null, the problem with it or "")."""
    if problem := _tag_problem(event.tag):
        return None, problem
    # The style of a plain value is None with the loader in Python, and "" with the one in C.
    plain = not event.style
    if plain and event.value in _NULLS:
        return None, ""
    return (_TRUTHS.get(event.value, event.value) if plain else event.value), ""


def _tag_problem(tag: str | None) -> str:
    return "" if tag in _TAGS else f"has the tag {str(tag)[:60]}"
