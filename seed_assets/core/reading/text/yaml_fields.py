"""The entries of YAML front matter. What does not belong here: finding the front matter, TOML and JSON (front_matter), and the
form of values (field_values).

The YAML is read event by event, which is safe for malicious files: no objects are built, aliases are not followed, and deep
nesting is refused.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from seed_assets.core.reading.field_values import split_values

if TYPE_CHECKING:
    import yaml

# The deepest front matter that is read; chosen by judgement.
_DEEPEST = 20
_TAGS = frozenset(
    {None, "!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "int", "float", "bool", "null", "timestamp"))}
)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}


class Entry(NamedTuple):
    """One entry of front matter.

    values: the items of a list, or the parts of a text that is separated by commas or semicolons.
    text: the text as a whole; "" for a list.
    quoted: whether the name is in quotation marks, so that it may have any characters.
    """

    name: str
    values: list[str]
    text: str
    quoted: bool = False


class YamlEntries(NamedTuple):
    """What was read from YAML.

    entries: the readable entries of the mapping.
    names: the names of all entries as (name, whether it is quoted); "" for a name that is no text.
    problems: one sentence for each entry that is not readable.
    broken: what is wrong with the YAML as a whole, or "".
    line: the line of the front matter at which it is not valid, from 1 on; 0 if it is valid.
    is_mapping: whether it is a mapping, or empty.
    """

    entries: list[Entry]
    names: list[tuple[str, bool]]
    problems: list[str]
    broken: str = ""
    line: int = 0
    is_mapping: bool = True


def yaml_entries(front: str) -> YamlEntries:
    """Read the entries of a mapping in YAML.

    The sentences are part of stored values, so changing one requires a new version of the stage `fields`.
    """
    import yaml

    # The loader in C is ten times as fast, but not part of every build.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    reading = _FrontMatter(yaml.parse(front, Loader=loader))
    try:
        entries = list(reading.entries())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        broken = f"the front matter is not valid YAML: {' '.join(str(error).split())[:200]}."
        return YamlEntries([], reading.names, reading.problems, broken, mark.line + 1 if mark else 0)
    except _TooDeepError:
        broken = f"the front matter is nested more than {_DEEPEST} deep."
        return YamlEntries([], reading.names, reading.problems, broken)
    broken = "" if reading.is_mapping else "the front matter is no list of `name: value`."
    return YamlEntries(entries, reading.names, reading.problems, broken, 0, reading.is_mapping)


class _TooDeepError(Exception):
    """The front matter is nested too deeply."""


class _FrontMatter:
    """One mapping, read event by event."""

    def __init__(self, events: "Iterator[yaml.Event]") -> None:
        self._events = events
        self.names: list[tuple[str, bool]] = []
        self.problems: list[str] = []
        self.is_mapping = True

    def entries(self) -> Iterator[Entry]:
        """Yield the entries of the first YAML document. Raises YAMLError or _TooDeepError."""
        import yaml

        first = next((event for event in self._events if isinstance(event, yaml.NodeEvent)), None)
        if first is None:
            return
        if not isinstance(first, yaml.MappingStartEvent):
            self.is_mapping = isinstance(first, yaml.ScalarEvent) and first.value in _NULLS
            self._finish(first)
            return
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            name = key.value if isinstance(key, yaml.ScalarEvent) else ""
            quoted = isinstance(key, yaml.ScalarEvent) and bool(key.style)
            self.names.append((name, quoted))
            if not name:
                self._skip(key)
            values, text, problem = self._value(next(self._events))
            if not name or problem:
                self.problems.append(f"{name[:80] or 'a name in the front matter'} {problem or 'is no text'}.")
            else:
                yield Entry(name, values, text, quoted)
        self._finish()

    def _finish(self, event: "yaml.Event | None" = None) -> None:
        """Parse the rest of the document too, since an error in it means that the whole text is not YAML."""
        import yaml

        if event is not None:
            self._skip(event)
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                return

    def _value(self, event: "yaml.Event") -> tuple[list[str], str, str]:
        """Return (the values, the text or "", the problem with them or "")."""
        import yaml

        if isinstance(event, yaml.ScalarEvent):
            text, problem = _scalar(event)
            return ([] if text is None else split_values(text)), text or "", problem
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
            return values, "", problem
        self._skip(event)
        return [], "", "is an alias" if isinstance(event, yaml.AliasEvent) else "is a mapping"

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
