"""How counts and long texts are written in messages."""


def counted(number: int, one: str, several: str = "") -> str:
    """A number with its noun: `1 file`, `2 files`, `1,000 entries`. several: the plural, if it is not `one` with an s."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def shortened(text: str, characters: int) -> str:
    """The text, or its beginning and an ellipsis: at most so many characters."""
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"
