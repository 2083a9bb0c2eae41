"""Which files of a corpus are not documents: how many of each suffix, and how many for other reasons.

What belongs here: counting them, and the sentence that says so. What does not: deciding which files are documents
(corpus_walk). The module must be fast to import, since a seed with nothing to do needs little else.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# So many suffixes are named; about what fits on one line (a judgement).
_NAMED = 10
# What stands behind the last dot of a name is taken for a suffix if it has at most so many characters and no space: behind
# the dot of "Dr. Smith, second letter" stands no suffix (a judgement).
_LONGEST_SUFFIX = 16


class SkippedFiles:
    """How many files and folders of a corpus were skipped, each counted under the first of these reasons that holds.

    hidden: those whose name begins with a dot. by_suffix: files whose suffix, in lower case and with its dot, is not that of a
    document; "" for files without a suffix. ignored: those that `.seedbankignore` excludes, and the home. special: links that are
    not followed, pipes, sockets and devices. A folder that is skipped counts as one, whatever it contains.
    """

    __slots__ = ("by_suffix", "hidden", "ignored", "special")

    def __init__(
        self, by_suffix: "dict[str, int] | None" = None, *, hidden: int = 0, ignored: int = 0, special: int = 0
    ) -> None:
        self.by_suffix = by_suffix or {}
        self.hidden = hidden
        self.ignored = ignored
        self.special = special

    def add_suffix(self, suffix: str) -> None:
        """Count a file with this suffix, which is what stands behind the last dot of its name; "" if there is no dot."""
        known = len(suffix) <= _LONGEST_SUFFIX and not any(character.isspace() for character in suffix)
        name = f".{suffix.lower()}" if suffix and known else ""
        self.by_suffix[name] = self.by_suffix.get(name, 0) + 1

    def with_others(self, others: "SkippedFiles") -> "SkippedFiles":
        """These numbers and others together."""
        suffixes = dict(self.by_suffix)
        for suffix, count in others.by_suffix.items():
            suffixes[suffix] = suffixes.get(suffix, 0) + count
        return SkippedFiles(
            suffixes,
            hidden=self.hidden + others.hidden,
            ignored=self.ignored + others.ignored,
            special=self.special + others.special,
        )

    @property
    def total(self) -> int:
        """How many were skipped."""
        return sum(self.by_suffix.values()) + self.hidden + self.ignored + self.special

    def as_text(self) -> str:
        """A text that is the same for two corpora if these numbers are."""
        return repr((sorted(self.by_suffix.items()), self.hidden, self.ignored, self.special))

    def as_json(self) -> "dict[str, Any]":
        """The numbers as `--json` prints them: the most frequent suffixes by name, the others counted."""
        named, suffixes, files = self._by_frequency()
        return {
            "total": self.total,
            "suffixes": named,
            "other_suffixes": {"suffixes": suffixes, "files": files},
            "without_suffix": self.by_suffix.get("", 0),
            "hidden": self.hidden,
            "ignored": self.ignored,
            "special": self.special,
        }

    def sentence(self) -> str:
        """The numbers in words, as in "12 files skipped: 7 .xyz, 5 .bin"; "" if nothing was skipped."""
        if not self.total:
            return ""
        named, suffixes, files = self._by_frequency()
        parts = [f"{count:,} {suffix}" for suffix, count in named.items()]
        if suffixes:
            parts.append(f"{files:,} of {suffixes:,} other suffix{'es' if suffixes > 1 else ''}")
        for count, reason in (
            (self.by_suffix.get("", 0), "without a suffix"),
            (self.hidden, "hidden"),
            (self.ignored, "ignored"),
            (self.special, "links or special files" if self.special > 1 else "link or special file"),
        ):
            if count:
                parts.append(f"{count:,} {reason}")
        return f"{self.total:,} file{'s' if self.total > 1 else ''} skipped: {', '.join(parts)}"

    def _by_frequency(self) -> tuple[dict[str, int], int, int]:
        """(the most frequent suffixes with their numbers, how many other suffixes there are, how many files these have)."""
        found = sorted(
            ((suffix, count) for suffix, count in self.by_suffix.items() if suffix),
            key=lambda item: (-item[1], item[0]),
        )
        others = found[_NAMED:]
        return dict(found[:_NAMED]), len(others), sum(count for _, count in others)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SkippedFiles) and self.as_text() == other.as_text()

    __hash__ = None  # type: ignore[assignment]  # its numbers change while files are counted
