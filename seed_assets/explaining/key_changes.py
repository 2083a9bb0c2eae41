"""How the key of a published result differs from that of what a seed would do now, in words.

What belongs here: comparing the parts of two keys of one stage, and saying what each difference is. What does not: opening
values or texts (value_changes, prompt_changes), which setting belongs to a part (setting_names), and whether a result is current
(engine.currency). Nothing here reads the store.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from io_managers.store.fingerprint import Part, same_part
from resources.settings.config import Settings
from resources.wording import shortened
from seed_assets.explaining.setting_names import METHODS, SWITCHES, setting_of
from seed_assets.graph.pipeline import VERSION, Pipeline
from seed_assets.graph.stage import SOURCE, OfSettings, RecordsChanges, Stage

Kind = Literal["file", "input", "version", "prompt", "model", "setting", "method"]
"""What differs: the document's file, the result of another stage, a version of the code, the text of a prompt, which model is
asked, a setting, or how the work is done."""

# How much of a value of a setting, and how many names of members, a sentence shows.
_SHOWN_CHARACTERS, _NAMED = 80, 5
_BEFORE, _NOW = "before", "now"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference of two keys.

    part: the path of what differs, such as `summarizer.words`. text: a sentence about it, without a full stop. setting: its name
    in the configuration; "" if no setting decides it. before, now: the two values; None where there is none. details: lines that
    say more, such as the lines of a prompt that differ.
    """

    part: str
    kind: Kind
    text: str
    setting: str = ""
    before: Part = None
    now: Part = None
    details: tuple[str, ...] = ()


def key_changes(
    pipeline: Pipeline,
    stage: Stage,
    before: Mapping[str, Part],
    now: Mapping[str, Part],
    *,
    unknown: Collection[str] = (),
    settings: Settings | None = None,
) -> list[Change]:
    """Return every difference, in the order in which the key has its parts.

    before, now: the parts of the two keys; either may have been read from JSON. unknown: inputs whose part is not known yet.
    settings: those in use, for the name of a setting where several may decide a part.
    """
    found: list[Change] = []
    for name in [*now, *(name for name in before if name not in now)]:
        old, new = before.get(name), now.get(name)
        if name in unknown or (name in before and name in now and same_part(old, new)):
            continue
        if name == VERSION:
            found.append(_version(stage.changes, name, old, new))
        elif name == SOURCE and isinstance(old, Mapping) and isinstance(new, Mapping):
            found += _of_source(old, new, settings)
        elif name in stage.corpus_inputs:
            found += _of_corpus(name, old, new, settings)
        elif name in stage.inputs:
            found.append(Change(name, "input", f"The result of `{name}` changed", before=old, now=new))
        else:
            found += _of_resource(pipeline.resource(stage, name), name, old, new, settings)
    # What a stage continues from is no reason by itself.
    return [change for change in found if not _continues(change)] or found[:1]


def _version(changes: Mapping[str, str], part: str, before: Part, now: Part) -> Change:
    """A change of a version, with what each version in between changed."""
    said = [sentence for version, sentence in changes.items() if _is_between(version, before, now)]
    because = " ".join(said) if said else "What changed with it is not recorded."
    text = f"Version {_word(before)} → {_word(now)}: {because}"
    return Change(part, "version", text.removesuffix("."), before=before, now=now)


def _is_between(version: str, before: Part, now: Part) -> bool:
    """Whether a version is after `before`, and not after `now`."""
    ends = [str(before), str(now)]
    if version.isdecimal() and all(end.isdecimal() for end in ends):
        return int(ends[0]) < int(version) <= int(ends[1])
    return version == ends[1]


def _of_source(before: Mapping[str, Part], now: Mapping[str, Part], settings: Settings | None) -> Iterator[Change]:
    if before.get("content") != now.get("content"):
        yield Change("source.content", "file", "The file changed", before=before.get("content"), now=now.get("content"))
    if before.get("format") != now.get("format"):
        text = f"The file is read as {_word(now.get('format'))} instead of {_word(before.get('format'))}"
        yield Change("source.format", "file", text, before=before.get("format"), now=now.get("format"))
    old = {name: part for name, part in before.items() if name not in ("content", "format")}
    new = {name: part for name, part in now.items() if name not in ("content", "format")}
    yield from _leaves(None, SOURCE, old, new, settings)


def _of_resource(resource: Any, name: str, before: Part, now: Part, settings: Settings | None) -> Iterator[Change]:
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        own = resource.setting_of("") if isinstance(resource, OfSettings) else ""
        setting = own or setting_of(name, settings)
        if before is None or now is None:
            text = f"`{name}` is {'not used any more' if now is None else 'used now'}"
        elif own:
            text = f"{own}: what it declares changed"
        else:
            text = _named(setting or name, before, now)
        yield Change(name, "method", text, setting, before, now)
        return
    method = next((key for key in METHODS if key in before and key in now and before[key] != now[key]), "")
    if not method:
        yield from _leaves(resource, name, before, now, settings)
        return
    # All else differs as well, since the two methods have nothing in common.
    setting = METHODS[method]
    text = f"{setting}: {_method(before, method)} → {_method(now, method)}"
    yield Change(f"{name}.{method}", "method", text, setting, before[method], now[method])


def _method(identity: Mapping[str, Part], method: str) -> str:
    """How a resource works: the name of the model that it asks, or of the offline method."""
    model = identity.get("model")
    if isinstance(model, Mapping):
        return f"{_word(model.get('provider'))} ({_word(model.get('model'))})"
    own = f" ({_word(model)})" if isinstance(model, str) and model else ""
    return f"{_word(identity[method])}{own}"


def _leaves(
    resource: Any, name: str, before: Mapping[str, Part], now: Mapping[str, Part], settings: Settings | None
) -> Iterator[Change]:
    old, new = dict(_flat(name, before)), dict(_flat(name, now))
    if _turned(old, new, f"{name}.ocr.engine"):
        yield _ocr(name, old, new)
        old, new = _without(old, f"{name}.ocr."), _without(new, f"{name}.ocr.")
    elif f"{name}.ocr.missing" in {*old, *new}:
        yield _missing_languages(name, old, new)
        old, new = _without(old, f"{name}.ocr."), _without(new, f"{name}.ocr.")
    provider = f"{name}.model.provider"
    if provider in old and provider in new and old[provider] != new[provider]:
        # What only one of the two providers has follows from the choice.
        alone = {path for path in old.keys() ^ new.keys() if path.startswith(f"{name}.model.")}
        old, new = ({path: part for path, part in one.items() if path not in alone} for one in (old, new))
    for path in [*new, *(path for path in old if path not in new)]:
        if path not in old or path not in new or not same_part(old[path], new[path]):
            yield _leaf(resource, path, old.get(path), new.get(path), settings)


def _turned(old: Mapping[str, Part], new: Mapping[str, Part], engine: str) -> bool:
    """Whether the engine that reads pictures was switched on or off, was installed, or is missing now."""
    absent = ("off", "missing", None)
    return engine in {*old, *new} and (old.get(engine) in absent) != (new.get(engine) in absent)


def _ocr(name: str, old: Mapping[str, Part], new: Mapping[str, Part]) -> Change:
    was, is_ = old.get(f"{name}.ocr.engine"), new.get(f"{name}.ocr.engine")
    setting = setting_of(f"{name}.ocr") if "off" in (was, is_) else ""
    return Change(f"{name}.ocr", "method", _named(setting or "The engine of OCR", was, is_), setting, was, is_)


def _missing_languages(name: str, old: Mapping[str, Part], new: Mapping[str, Part]) -> Change:
    """The change of the languages of pictures if the data of one was or is missing, so that no picture was or is read."""
    setting = setting_of(f"{name}.ocr.languages")
    missing = [one.get(f"{name}.ocr.missing") for one in (old, new)]
    names = [one.get(f"{name}.ocr.languages") for one in (old, new)]
    was, is_ = (f"no data of {_word(m)}" if m else _word(n) for m, n in zip(missing, names, strict=True))
    return Change(f"{name}.ocr.languages", "setting", f"{setting}: {was} → {is_}", setting, was, is_)


def _without(parts: Mapping[str, Part], prefix: str) -> dict[str, Part]:
    return {path: part for path, part in parts.items() if not path.startswith(prefix)}


def _leaf(resource: Any, path: str, before: Part, now: Part, settings: Settings | None) -> Change:
    own = resource.setting_of(path.partition(".")[2]) if isinstance(resource, OfSettings) else ""
    setting = own or setting_of(path, settings)
    last = path.rpartition(".")[2]
    if last in ("version", "method", "extraction") and not setting and path.count(".") == 1:
        changes = resource.changes if isinstance(resource, RecordsChanges) else {}
        found = _version(changes, path, before, now)
        return Change(path, "version", f"`{path}`: {found.text}", before=before, now=now)
    if last == "prompt" and _is_digest(now):
        text = f"{setting}: its text changed" if setting else f"The prompt of `{path.partition('.')[0]}` changed"
        return Change(path, "prompt", text, setting, before, now)
    shown = setting or f"`{path}`"
    if _is_digest(before) or _is_digest(now):
        text = f"{shown}: its content changed" if None not in (before, now) else _named(shown, before, now)
        return Change(path, "model" if path.startswith("embedder.") else "method", text, setting, before, now)
    kind: Kind = "model" if path.endswith((".model.model", "embedder.model")) else "setting" if setting else "method"
    chosen = (
        ", chosen among the other models" if setting == "judge.model" and settings and not settings.judge.model else ""
    )
    return Change(path, kind, f"{_named(shown, before, now)}{chosen}", setting, before, now)


def _of_corpus(name: str, before: Part, now: Part, settings: Settings | None) -> list[Change]:
    """The differences of an input through which a stage looks at the corpus."""
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return [Change(name, "input", f"What `{name}` gives of this unit changed", before=before, now=now)]
    old, new = dict(_flat(name, before)), dict(_flat(name, now))
    for path, (setting, without, with_it) in SWITCHES.items():
        if (path in old) != (path in new):
            was, is_ = (with_it, without) if path in old else (without, with_it)
            return [Change(path, "setting", _named(setting, was, is_), setting, was, is_)]
    return [
        _of_looked_at(path, old.get(path), new.get(path), settings)
        for path in [*new, *(path for path in old if path not in new)]
        if not same_part(old.get(path), new.get(path))
    ]


def _continues(change: Change) -> bool:
    """Whether a difference is only in the result that a stage continues from."""
    return change.part.split(".")[1:2] == [_BEFORE]


def _of_looked_at(path: str, before: Part, now: Part, settings: Settings | None) -> Change:
    _, _, below = path.partition(".")
    where = below.removeprefix(f"{_NOW}.")
    if below.partition(".")[0] == _BEFORE:
        text = "It continues from another result than before"
    elif isinstance(before, Sequence) and isinstance(now, Sequence) and not isinstance(before, str):
        text = _of_lists(where, [str(one) for one in before], [str(one) for one in now])
    elif setting := setting_of(path, settings):
        text = f"{setting}: its values changed"
        return Change(path, "setting", text, setting, before, now)
    elif "." in where:
        first, _, unit = where.partition(".")
        gone = "came" if before is None else "is gone" if now is None else "changed"
        text = f"Of {first}, that of {unit} {gone}"
    else:
        text = f"The results of `{where}` changed"
    return Change(path, "input", text, before=before, now=now)


def _of_lists(name: str, before: Sequence[str], now: Sequence[str]) -> str:
    came, left = list((Counter(now) - Counter(before)).elements()), list((Counter(before) - Counter(now)).elements())
    if any(map(_is_digest, (*came, *left))):
        return f"The {name} of the members changed: {max(len(came), len(left)):,} of {len(now):,}"
    said = [f"{len(found):,} {verb} ({_some(found)})" for found, verb in ((came, "came"), (left, "left")) if found]
    return f"The {name} changed: {', '.join(said)}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _flat(name: str, part: Part) -> Iterator[tuple[str, Part]]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _flat(f"{name}.{key}", value)
    else:
        yield name, part


def _is_digest(part: Part) -> bool:
    return isinstance(part, str) and part.startswith("sha256:")


def _named(name: str, before: Part, now: Part) -> str:
    return f"{name}: {_word(before)} → {_word(now)}"


def _word(part: Part) -> str:
    match part:
        case None:
            return "none"
        case bool():
            return "true" if part else "false"
        case float():
            return f"{part:g}"
        case str():
            return shortened(part, _SHOWN_CHARACTERS) or '""'
        case Mapping():
            return shortened(str(dict(part)), _SHOWN_CHARACTERS)
        case Sequence():
            return shortened(", ".join(map(str, part)), _SHOWN_CHARACTERS)
        case _:
            return str(part)
