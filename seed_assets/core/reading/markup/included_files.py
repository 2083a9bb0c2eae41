"""The warning about other files that a document includes, which are not read. What does not belong here: finding them."""

from collections.abc import Iterable

# A warning names files in so many characters; a judgement.
_LONGEST_LIST = 300


def included_warning(names: Iterable[str]) -> tuple[str, ...]:
    """Return a sentence that names other files; nothing if there are none."""
    named = ", ".join(dict.fromkeys(" ".join(name.split()) for name in names))
    if not named:
        return ()
    named = named if len(named) <= _LONGEST_LIST else named[:_LONGEST_LIST] + "…"
    return (f"Files that the document includes are not read with it: {named}.",)
