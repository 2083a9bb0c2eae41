"""The words of sources, and which of them are opposites of the words of a claim. What belongs here: an index of words and their
forms by sentence. What does not: which words are opposites (opposites), and whether a sentence with one contradicts (evidence).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from seed_assets.core.judging.opposites import forms_of, is_negated_word, opposites_of
from seed_assets.core.text.words import WORD

# Shorter forms are endings of other words; chosen by judgement.
_LEAST_LETTERS = 3


class SourceWords:
    """The case-folded words of sentences, which are found by any of their forms."""

    def __init__(self, sentences: Iterable[Sequence[str]]) -> None:
        places: dict[str, list[int]] = defaultdict(list)
        for place, sentence in enumerate(sentences):
            for word in set(sentence):
                places[word].append(place)
        self._places = dict(places)
        self._with_form: dict[str, list[str]] = defaultdict(list)
        for word in self._places:
            for form in dict.fromkeys(forms_of(word)):
                self._with_form[form].append(word)

    def opposites_in(self, claim: str) -> Iterator[tuple[str, list[int], list[int]]]:
        """Yield each word of a claim that has an opposite in the sources, with the sentences of both, in order.

        Opposites that the claim contains as well do not count: it may say of both what the sources say.
        """
        words = [*dict.fromkeys(match.group() for match in WORD.finditer(claim.casefold()))]
        own = {form for word in words for form in forms_of(word)}
        for word in words:
            opposites = opposites_of(word, self._with_form) - own
            if opposites:
                yield word, self._sentences(self._long_forms(word)), self._sentences(opposites)

    def unknown_negated(self, claim: str) -> str:
        """Return the first negated word of a claim, such as "unsuccessful", that the sources do not have; "" if there is none."""
        for match in WORD.finditer(claim.casefold()):
            word = match.group()
            if is_negated_word(word) and word not in self._with_form:
                return word
        return ""

    def _sentences(self, forms: Iterable[str]) -> list[int]:
        words = {word for form in forms for word in self._with_form.get(form, ())}
        return sorted({place for word in words for place in self._places[word]})

    def _long_forms(self, word: str) -> list[str]:
        return [form for form in forms_of(word) if len(form) >= _LEAST_LETTERS]
