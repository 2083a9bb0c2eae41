"""Material in a prompt: untrusted text that a model reads but must not obey. It cannot break out of its place in the prompt.

What belongs here: finding and replacing what could end a text's place. What does not: the places themselves, which are in
the files of seed_assets/prompts, and filling them in (prompts).

A place is the space between two marks, such as `<document>` and `</document>`, or the rest of a line. In inserted text, the
`<` of each of the prompt's own marks becomes `‹`, so that no text contains the boundary, whatever its case and whatever
invisible characters stand in it. A text without these marks is shown unchanged, so the keys of its requests do not depend
on this module. No text changes its length, so offsets stay valid.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

REPLACEMENT = "‹"
_TAG = re.compile(r"</?([a-z]+)[ >]")
# Characters that a reader may take for the beginning of a mark, and invisible characters.
_OPENING = "<\uff1c\ufe64\u2329\u3008"
_UNSEEN = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
# The most characters between the opening sign and the name (chosen by judgement). Without a bound, matching long runs of
# signs would take quadratic time.
_MOST_BETWEEN = 12
_LINE_END = re.compile("[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")

MOST_SHOWN_TOKENS = 12_000
"""The most tokens of sources in one request, chosen by judgement: more would cost more than it is worth."""


@dataclass(frozen=True, slots=True)
class MarkedTexts:
    """Texts that a prompt shows one after the other, each between marks of its own.

    mark: the name of the mark, such as "passage".
    texts: the texts, in the order in which they are shown.
    titles: one title per text ("" for none), or nothing if no text has a title.
    """

    mark: str
    texts: Sequence[str]
    titles: Sequence[str] = ()

    def shown(self, marks: Collection[str]) -> str:
        """Return all texts with their marks; none of the texts contains one of `marks`."""
        # A quotation mark would end the attribute.
        named = [in_line(without_marks(title, marks)).replace('"', "'") for title in self.titles]
        opened = [f' of="{title}"' for title in named] or [""] * len(self.texts)
        return "\n".join(
            f"<{self.mark}{of}>\n{without_marks(text, marks)}\n</{self.mark}>"
            for of, text in zip(opened, self.texts, strict=True)
        )


def marks_in(*prompts: str) -> frozenset[str]:
    """Return the names of the marks that these prompts use themselves."""
    return frozenset(name for prompt in prompts for name in _TAG.findall(prompt))


def without_marks(text: str, marks: Collection[str]) -> str:
    """Return the text with these marks made harmless, at the same length."""
    return _marks(frozenset(marks)).sub(REPLACEMENT, text) if marks else text


def in_line(text: str) -> str:
    """Return the text in one line: every character that ends a line becomes a space."""
    return _LINE_END.sub(" ", text)


@lru_cache(maxsize=32)
def _marks(names: frozenset[str]) -> re.Pattern[str]:
    between = rf"[\s/\\\u2044\u2215\uff0f{_UNSEEN}]{{0,{_MOST_BETWEEN}}}"
    written = "|".join(rf"[{_UNSEEN}]{{0,3}}".join(name) for name in sorted(names))
    return re.compile(rf"[{_OPENING}](?={between}(?:{written})(?![a-z0-9_]))", re.IGNORECASE)
