"""Whether a claim is copied from a source, though not in one piece. What belongs here: finding out that a claim is made of
whole sentences that stand apart in its source, as extractive summaries join them. What does not: copies in one piece
(quotations), and what is only like the source (evidence).
"""

import re
from collections.abc import Iterable, Iterator

from seed_assets.core.negations import negations_in
from seed_assets.core.numerals import numbers_in
from seed_assets.core.passages import Passage, in_order
from seed_assets.core.quotations import QuotedText, Span, folded_words
from seed_assets.core.sentences import split_sentences
from seed_assets.core.verdicts import SourceText
from seed_assets.core.words import UNSPACED, WORD

# The rest of a sentence that begins or ends a claim is as long at least: one word could come from anywhere.
_LEAST_WORDS = 3
_END = " \n "
# How far a negation reaches.
_BEFORE_WORDS, _BEFORE_CHARACTERS = 3, 60
_STOP = re.compile(r"[.!?;:।؟؛۔]\s|[。！？；]|\n\s*\n")


class CopiedTexts:
    """Sources in which several claims are looked for. The order of the sources does not matter."""

    def __init__(self, sources: Iterable[SourceText]) -> None:
        self._texts = [(source, CopiedText(source.text)) for source in in_order(sources)]

    def passage(self, claim: str) -> Passage | None:
        """Where a claim is copied from, in the first source that has it; see CopiedText.locate."""
        for source, text in self._texts:
            place = text.locate(claim)
            if place is not None:
                return _passage(source, place)
        return None

    def mention(self, words: str) -> Passage | None:
        """Where some words stand together, in the first source that has them, whatever is said with them."""
        for source, text in self._texts:
            place = text.quoted.locate(words)
            if place is not None:
                return _passage(source, place)
        return None


def _passage(source: SourceText, place: Span) -> Passage:
    return Passage(source.document_id, source.title, source.text[slice(*place)], *place)


class CopiedText:
    """A source in which several claims are looked for; what that needs is made once, when it is first needed."""

    def __init__(self, text: str) -> None:
        self.quoted = QuotedText(text)
        """Where what is copied in one piece is looked for."""
        self._text = text
        self._marked = ""
        self._sentences: dict[str, Span] = {}

    def locate(self, claim: str) -> Span | None:
        """Where a claim is copied from, in characters; of one that joins several sentences, the longest of them.

        All words of the claim are the source's, in its order: in one piece, or sentence by sentence; only the first may
        lack its beginning, and the last its end. None where a word is changed, added or left out, and where it is torn out
        of a sentence that negates it ("No survivors were found") or out of a number.
        """
        place = self.quoted.locate(claim) or self._joined(folded_words(claim))
        return None if place is None or self._is_negated(place[0]) or self._cuts_number(place) else place

    def _is_negated(self, start: int) -> bool:
        """Whether a negation stands close before, in the same sentence."""
        before = _STOP.split(self._text[max(0, start - _BEFORE_CHARACTERS) : start])[-1]
        words = list(WORD.finditer(before))[-_BEFORE_WORDS:]
        near = before[words[0].start() :] if words else ""
        return any(negations_in(near[-_BEFORE_WORDS:] if UNSPACED.search(near) else near))

    def _cuts_number(self, place: Span) -> bool:
        start, end = place
        first = max(0, start - _BEFORE_CHARACTERS)
        numbers = numbers_in(self._text[first : end + _BEFORE_CHARACTERS])
        return any(number.start + first < cut < number.end + first for number in numbers for cut in (start, end))

    def _joined(self, words: list[str]) -> Span | None:
        self._read()
        ends = self._first_ends(words)
        back: dict[int, int] = dict.fromkeys(ends, 0)
        # From each place that whole sentences lead to, the next ones.
        for start in range(len(words)):
            if start and start not in back:
                continue
            for end in range(start + 1, len(words) + 1):
                if " ".join(words[start:end]) in self._sentences:
                    back.setdefault(end, start)
            if len(words) - start >= _LEAST_WORDS and f"{_END}{' '.join(words[start:])} " in self._marked:
                back.setdefault(len(words), start)
        return self._longest(words, back) if len(words) in back else None

    def _first_ends(self, words: list[str]) -> Iterator[int]:
        for end in range(1, len(words)):
            piece = f" {' '.join(words[:end])} "
            if piece not in self._marked:
                return
            if end < _LEAST_WORDS or f"{piece[:-1]}{_END}" not in self._marked:
                continue
            place = self.quoted.locate(piece)
            if place is not None and not self._is_negated(place[0]):
                yield end

    def _longest(self, words: list[str], back: dict[int, int]) -> Span | None:
        pieces: list[str] = []
        end = len(words)
        while end > 0:
            pieces.append(" ".join(words[back[end] : end]))
            end = back[end]
        return self.quoted.locate(max(pieces, key=len))

    def _read(self) -> None:
        if self._sentences or not self._text:
            return
        marked: list[str] = []
        for span in split_sentences(self._text):
            sentence = " ".join(folded_words(self._text[slice(*span)]))
            if sentence:
                self._sentences.setdefault(sentence, span)
                marked.append(sentence)
        self._marked = f"{_END}{_END.join(marked)}{_END}"
