"""Front matter: the block of fields at the beginning of a document, in YAML, TOML or JSON.

What belongs here: where it begins and ends, whether it is front matter at all, its title and its fields. What does not: the
events of YAML (yaml_fields), the form of values (field_values), and blocks of `Name: value` without marks (titles,
document_fields).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from json import JSONDecodeError, JSONDecoder
from tomllib import TOMLDecodeError, loads
from typing import Any, NamedTuple

from seed_assets.core.reading.field_values import split_values
from seed_assets.core.reading.text.yaml_fields import Entry, yaml_entries
from seed_assets.core.reading.titles import cleaned_title

# The longest front matter that is read, and the largest number; chosen by judgement.
_LONGEST = 500_000
_MOST_BITS = 10_000
# The first line -> the language, and the lines that end it. A word after the mark names the language, as in `---toml`.
_OPENINGS = {
    "---": ("YAML", ("---", "...")),
    "---yaml": ("YAML", ("---", "...")),
    "---toml": ("TOML", ("---",)),
    "---json": ("JSON", ("---",)),
    "+++": ("TOML", ("+++",)),
    ";;;": ("JSON", (";;;",)),
}
_LONGEST_OPENING = 20
# A name without quotation marks. A sentence before a colon has other signs in it.
_NAME = re.compile(r"[\w$@][\w $@./:+-]*")
_LIKE_YAML = re.compile(r"[\w$@\"'][\w $@./:+\"'-]*:(?:\s|$)|[ \t]|- |-$|#|[\]}],?$|$")
_LIKE_YAML_ENTRY = re.compile(r"[\w$@\"'][\w $@./:+\"'-]*:(?:\s|$)")
_LIKE_TITLE = re.compile(r"""["']?title["']?:[ \t]*(.*)$""", re.IGNORECASE)
_LIKE_JSON_ENTRY = re.compile(r'\s*(?:"(?:[^"\\]|\\.)*+"|\'[^\']*+\'|[\w-]+)\s*:')


class FrontMatter(NamedTuple):
    """What the beginning of a text says about it.

    text: the text without its front matter; the whole text if there is none, or if it cannot be told from the text.
    title: the title in the front matter, or "".
    entries: the entries that could be read.
    problems: one sentence for each part that could not be read.
    warning: a sentence for the reader if the front matter as a whole could not be read, or "".
    """

    text: str
    title: str = ""
    entries: Sequence[Entry] = ()
    problems: tuple[str, ...] = ()
    warning: str = ""


def read_front_matter(text: str, *, overlined: bool = False) -> FrontMatter:
    """Read the front matter at the beginning of a text, which has normal line ends.

    It is the text between a first line `---` and the next `---` or `...`, if it is a mapping in YAML; between lines `+++`, if
    it is TOML; or a JSON object that is followed by text. Empty front matter is front matter too. A rule at the beginning of
    a text is none, and neither is prose between two rules.

    overlined: whether a single line between two lines `---` is a heading, as in reStructuredText.
    """
    start = text.lstrip("\n")
    if start.startswith("{"):
        return _json_object(text, start)
    lines = start.split("\n")
    language, closings = _OPENINGS.get(lines[0][:_LONGEST_OPENING].rstrip().lower().replace(" ", ""), ("", ()))
    if not language:
        return FrontMatter(text)
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() in closings), None)
    if end is None:
        return FrontMatter(text, warning=_unclosed(language, lines[0].rstrip(), lines[1:]))
    if overlined and end == 2 and lines[0].rstrip() == "---":
        return FrontMatter(text)
    front, rest = "\n".join(lines[1:end]), "\n".join(lines[end + 1 :])
    if not front.strip():
        return FrontMatter(rest)
    if len(front) > _LONGEST:
        problem = f"the front matter has {len(front):,} characters; at most {_LONGEST:,} are read."
        kept = rest if language != "YAML" or _is_like_yaml(lines[1:end]) else text
        return FrontMatter(kept, problems=(problem,), warning=f"T{problem[1:]}")
    if language == "YAML":
        return _yaml(text, lines[1:end], rest)
    return _toml(text, front, rest) if language == "TOML" else _json(text, front, rest)


def _yaml(text: str, front: list[str], rest: str) -> FrontMatter:
    found = yaml_entries("\n".join(front))
    problems = tuple([*found.problems, found.broken] if found.broken else found.problems)
    if found.broken:
        reason = found.broken if not found.line else f"the front matter is not valid YAML in line {found.line + 1}."
        warning = f"T{reason[1:]} Its fields are not read."
        if _is_like_yaml(front):
            return FrontMatter(rest, _title_by_lines(front), problems=problems, warning=warning)
        # Prose between two rules is text, and so is what may be prose.
        if not _is_partly_like_yaml(front):
            return FrontMatter(text)
        return FrontMatter(text, _title_by_lines(front), (), problems, f"{warning} It is kept in the text.")
    fitting = sum(quoted or bool(_NAME.fullmatch(name)) for name, quoted in found.names)
    if found.names and 2 * fitting < len(found.names):
        return FrontMatter(text)
    return FrontMatter(rest, _title(found.entries), found.entries, problems)


def _toml(text: str, front: str, rest: str) -> FrontMatter:
    try:
        found = loads(front, parse_float=str)
    except (TOMLDecodeError, RecursionError, ValueError) as error:
        return _broken(text, "TOML", error)
    return _from_mapping(found, rest)


def _json(text: str, front: str, rest: str) -> FrontMatter:
    try:
        found = JSONDecoder(parse_float=str).decode(front)
    except (JSONDecodeError, RecursionError, ValueError) as error:
        return _broken(text, "JSON", error)
    if not isinstance(found, dict):
        return _broken(text, "JSON", ValueError("it is no object"))
    return _from_mapping(found, rest)


def _json_object(text: str, start: str) -> FrontMatter:
    """Read an object at the beginning of a text; a file that is JSON as a whole has no front matter."""
    try:
        found, end = JSONDecoder(parse_float=str).raw_decode(start[:_LONGEST])
    except (JSONDecodeError, RecursionError, ValueError) as error:
        return _broken(text, "JSON", error) if _is_like_json_object(start[:_LONGEST]) else FrontMatter(text)
    before, _, rest = start[end:].partition("\n")
    alone = start[:end].rpartition("\n")[2].strip() == "}" or rest.startswith("\n")
    if not isinstance(found, dict) or before.strip() or not rest.strip() or not alone:
        return FrontMatter(text)
    return _from_mapping(found, rest)


def _broken(text: str, language: str, error: Exception) -> FrontMatter:
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())[:200]
    problem = f"the front matter is not valid {language}: {reason.rstrip('.')}."
    return FrontMatter(
        text, problems=(problem,), warning=f"T{problem[1:]} It is kept in the text, and its fields are not read."
    )


def _from_mapping(found: Mapping[str, Any], rest: str) -> FrontMatter:
    entries: list[Entry] = []
    problems: list[str] = []
    for name, value in found.items():
        items = value if isinstance(value, list) else [value]
        texts = [_written(item) for item in items]
        if isinstance(value, dict):
            problems.append(f"{name[:80]} is a mapping.")
        elif None in texts:
            problems.append(f"{name[:80]} holds lists or mappings.")
        elif isinstance(value, list):
            entries.append(Entry(name, [each for each in texts if each], "", quoted=True))
        elif text := texts[0]:
            entries.append(Entry(name, split_values(text), text, quoted=True))
    return FrontMatter(rest, _title(entries), entries, tuple(problems))


def _written(value: object) -> str | None:
    """Return a value as text, "" for null, and None for a list or a mapping."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | datetime | time):
        return value.isoformat().replace("+00:00", "Z")
    # Python refuses to write longer numbers in decimals.
    return str(value) if isinstance(value, int) and value.bit_length() < _MOST_BITS else None


def _title(entries: Sequence[Entry]) -> str:
    return next(
        (title for each in entries if each.name.casefold() == "title" and (title := cleaned_title(each.text))), ""
    )


def _title_by_lines(front: list[str]) -> str:
    """Return the title in front matter that is not valid, as in `title: The sea: a story`."""
    value = next((found[1] for line in front if (found := _LIKE_TITLE.match(line))), "").strip()
    return cleaned_title(value.strip("\"'") if value[:1] in "\"'" else re.sub(r"\s#.*$", "", value))


def _is_like_json_object(start: str) -> bool:
    """Whether a text begins with an entry in a brace, and the brace is closed, or text follows the first blank line."""
    lines = start.split("\n")
    first = next((line for line in (lines[0][1:], *lines[1:2]) if line.strip()), "")
    if not _LIKE_JSON_ENTRY.match(first):
        return False
    end = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    return any(line.rstrip() == "}" for line in lines) or any(map(str.strip, lines[end:]))


def _is_like_yaml(front: list[str]) -> bool:
    """Whether each line could be one of YAML, and there is an entry."""
    return all(map(_LIKE_YAML.match, front)) and any(":" in line for line in front)


def _is_partly_like_yaml(front: list[str]) -> bool:
    """Whether the first line is an entry, and most lines could be those of a mapping."""
    lines = [line for line in front if line.strip()]
    return bool(_LIKE_YAML_ENTRY.match(lines[0])) and 2 * sum(map(bool, map(_LIKE_YAML.match, lines))) > len(lines)


def _unclosed(language: str, opening: str, lines: list[str]) -> str:
    """Return the warning about front matter that nothing ends; "" for a rule at the beginning of a text."""
    block = lines[: next((number for number, line in enumerate(lines) if not line.strip()), len(lines))]
    if language == "YAML" and not (block and all(map(_LIKE_YAML_ENTRY.match, block))):
        return ""
    return f"The front matter that begins with `{opening}` is not closed by such a line. It is kept in the text."
