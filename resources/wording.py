"""How counts, amounts, durations, long texts and similar names are written in messages."""

from collections.abc import Iterable


def counted(number: int, one: str, several: str = "") -> str:
    """A number with its noun: `1 file`, `2 files`, `1,000 entries`. several: the plural, if it is not `one` with an s."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def duration(seconds: float) -> str:
    """A length of time for people, in one or two units: `40 s`, `11 min`, `2 h 10 min`, `3 days`."""
    minutes = round(seconds / 60)
    if round(seconds) < 60:
        return f"{max(1, round(seconds))} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(hours / 24)} days"


def dollars(usd: float, unpriced: int) -> str:
    """An amount in dollars as text. Requests whose price is not known (`unpriced`) make it "unknown", never 0."""
    amount = f"{usd:,.2f}" if usd >= 1 or not usd else f"{usd:.4f}"
    if not unpriced:
        return amount
    return f"{amount} + unknown" if usd else "unknown"


def shortened(text: str, characters: int) -> str:
    """The text, or its beginning and an ellipsis: at most so many characters."""
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"


def cut_at_word(text: str, characters: int) -> str:
    """The text, or its beginning up to the end of a word, and an ellipsis: at most so many characters.

    A word that is longer than half of that, as in scripts without spaces, is cut inside.
    """
    if len(text) <= characters:
        return text
    kept = text[:characters]
    end = next((place for place in range(characters - 1, characters // 2, -1) if kept[place].isspace()), characters - 1)
    return kept[:end].rstrip() + "…"


def nearest(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """Those of these names that are likely to be meant by one that is not among them, best first."""
    import difflib

    known, wanted = sorted(names), name.casefold().strip("/")
    containing = [one for one in known if wanted and wanted in one.casefold()]
    # The last part of a path decides if the folder is wrong or left out.
    by_last = {one: one.casefold().rpartition("/")[2] for one in known}
    last = wanted.rpartition("/")[2]
    same = [one for one in known if by_last[one] == last]
    if len(found := [*dict.fromkeys((*same, *sorted(containing, key=len)))]) < most:
        found += [one for one in difflib.get_close_matches(wanted, known, most) if one not in found]
    return found[:most]


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A question that names what is likely to be meant, with a space before it; "" if nothing is similar."""
    found = nearest(name, names)
    if not found:
        return ""
    *others, last = found
    return f" Did you mean {', '.join(others)} or {last}?" if others else f" Did you mean {last}?"
