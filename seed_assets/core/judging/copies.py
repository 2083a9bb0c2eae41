"""Claims that are copied from a source. What belongs here: recognizing a claim that joins whole sentences which stand apart
in its source, as extractive summaries do. What does not: text copied in one piece (quotations), and claims that are only
similar to the source (evidence).
"""

import re
from collections.abc import Iterable, Iterator

from seed_assets.core.judging.passages import SourcePassage, in_order
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.core.text.negations import negations_in
from seed_assets.core.text.numerals import numbers_in
from seed_assets.core.text.quotations import QuotedText, folded_words
from seed_assets.core.text.sentences import split_sentences
from seed_assets.core.text.words import UNSPACED, WORD, Span

# The numbers of this module were chosen by judgement.
# A part of a sentence that begins or ends a claim has at least this many words: a single word could come from anywhere.
_LEAST_WORDS = 3
# Stands between sentences in the folded text.
_END = " \n "
# A longer text is not looked up sentence by sentence, since claims are much shorter.
_MOST_WORDS = 2_000
# How far before a place a negation is looked for.
_BEFORE_WORDS, _BEFORE_CHARACTERS = 3, 60
_STOP = re.compile(r"[.!?;:।؟؛۔]\s|[。！？；]|\n\s*\n")


class CopiedTexts:
    """Sources in which several claims are looked up. The order of the sources does not matter."""

    def __init__(self, sources: Iterable[SourceText]) -> None:
        self._texts = [(source, CopiedText(source.text)) for source in in_order(sources)]

    def passage(self, claim: str) -> SourcePassage | None:
        """Return the passage that a claim was copied from, in the first source that has it; see CopiedText.locate."""
        for source, text in self._texts:
            place = text.locate(claim)
            if place is not None:
                return _passage(source, place)
        return None

    def mention(self, words: str) -> SourcePassage | None:
        """Return the passage where the words stand together, in the first source that has them, negated or not."""
        for source, text in self._texts:
            place = text.quoted.locate(words)
            if place is not None:
                return _passage(source, place)
        return None


def _passage(source: SourceText, place: Span) -> SourcePassage:
    return SourcePassage(source.document_id, source.title, source.text[slice(*place)], *place)


class CopiedText:
    """A source in which several claims are looked up; its index is built once, when it is first needed."""

    def __init__(self, text: str) -> None:
        self.quoted = QuotedText(text)
        """The source's text, for finding text that was copied in one piece."""
        self._text = text
        self._marked = ""
        self._sentences: dict[str, Span] = {}
        self._longest_words = 0

    def locate(self, claim: str) -> Span | None:
        """Return where a claim was copied from, in characters; if it joins several sentences, the place of the longest.

        A claim is copied if its words stand in the source in one piece or sentence by sentence; only the first sentence
        may lack its beginning, and only the last its end. The result is None if a word was changed, added or left out,
        or if the words were cut out of a sentence that negates them ("No survivors were found") or out of a number.
        """
        place = self.quoted.locate(claim) or self._joined(folded_words(claim))
        return None if place is None or self._is_negated(place[0]) or self._cuts_number(place) else place

    def _is_negated(self, start: int) -> bool:
        """Whether a negation stands shortly before the place, in the same sentence."""
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
        if len(words) > _MOST_WORDS:
            return None
        self._read()
        ends = self._first_ends(words)
        back: dict[int, int] = dict.fromkeys(ends, 0)
        # From each word up to which the claim consists of whole sentences, try every sentence that could come next.
        for start in range(len(words)):
            if start and start not in back:
                continue
            for end in range(start + 1, min(start + self._longest_words, len(words)) + 1):
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
            words = folded_words(self._text[slice(*span)])
            sentence = " ".join(words)
            if sentence:
                self._longest_words = max(self._longest_words, len(words))
                self._sentences.setdefault(sentence, span)
                marked.append(sentence)
        self._marked = f"{_END}{_END.join(marked)}{_END}"
