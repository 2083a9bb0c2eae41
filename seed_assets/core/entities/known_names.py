"""Names that are known before a text is read: of its title, of definitions in it, and from a list of the user.

What belongs here: finding these names word by word, and reading the list. What does not: names by their capitals (name_spans).
"""

from collections.abc import Iterable, Iterator, Sequence

from seed_assets.core.entities.name_words import NameWord
from seed_assets.core.text.words import UNSPACED, WORD, Span

# A longer title is a sentence.
_MOST_TITLE_WORDS = 8


class Terms:
    """Names that are searched for word by word, whatever their capitals."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_first: dict[str, list[tuple[str, ...]]] = {}
        self._unspaced: list[str] = []
        for name in sorted(names):
            words = tuple(WORD.findall(name.casefold()))
            if UNSPACED.search(name):
                self._unspaced.append(name)
            elif words:
                self._by_first.setdefault(words[0], []).append(words)
        for entries in self._by_first.values():
            entries.sort(key=len, reverse=True)

    def within(self, words: Sequence[NameWord]) -> Iterator[Span]:
        """Yield the mentions in a sentence; where several names begin, the longest one."""
        at = 0
        while at < len(words):
            size = self._size(words, at)
            if size:
                yield words[at].start, words[at + size - 1].end
            at += size or 1

    def in_unspaced(self, text: str) -> Iterator[Span]:
        """Yield the mentions of names in scripts that are written without spaces."""
        for name in self._unspaced:
            at = text.find(name)
            while at >= 0:
                yield at, at + len(name)
                at = text.find(name, at + len(name))

    def _size(self, words: Sequence[NameWord], at: int) -> int:
        """The number of words of the longest name that begins at `at`; 0 if none does."""
        for entry in self._by_first.get(words[at].folded, ()):
            size = len(entry)
            if at + size <= len(words) and all(words[at + k].folded == entry[k] for k in range(1, size)):
                return size
        return 0


def title_name(title: str) -> str:
    """Return the title of a text if it may be a name, without what stands in brackets at its end; otherwise ""."""
    name = title.rstrip()
    if name.endswith(")") and "(" in name:
        name = name[: name.rindex("(")].rstrip()
    words = name.split()
    small = sum(word[0].islower() for word in words)
    is_name = 0 < len(words) <= _MOST_TITLE_WORDS and words[0][0].isupper() and small <= len(words) / 2
    return name if is_name else ""
