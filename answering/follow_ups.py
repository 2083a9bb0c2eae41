"""What is looked for when a question refers to earlier ones, and what makes such a question stand alone.

What does not belong here: asking a model for that (model_follow_ups), and the prompt of answers, which shows all turns.
"""

from collections.abc import Mapping
from typing import Protocol

from answering.answers import Question
from answering.terms import language_of_words, terms
from io_managers.store.fingerprint import Part
from seed_assets.core.text.words import WORD
from seed_assets.memo.reuse import Reuse

# Words by which a question refers to what was said before, in the languages of the stop words; chosen by judgement.
_WORDS = """
it its he him his she her they them their this that these those there then one ones former latter same
er sie es ihn ihm ihr ihre dessen deren dieser diese dieses dort il elle ils elles lui leur cela ceci celui celle
él ella ellos ellas eso esto ese esta lo la los las esso essa isso ele ela он она оно они его её их это
"""
_REFERRING = frozenset(_WORDS.split())
# A question with fewer words of its own than this may leave out what it is about; chosen by judgement.
_FEW_TERMS = 3


class FollowUps(Protocol):
    """Puts follow-up questions so that they stand alone."""

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides the result besides the question and its turns; a part of its action key."""
        ...

    async def standalone(self, question: Question, reuse: Reuse) -> str:
        """Return a question with earlier turns as one that is understood without them. Raises DocumentError."""
        ...


def sought(question: Question) -> str:
    """Return the words to look for: those of the question, after those of the one before if it refers to that."""
    if not question.turns or not _refers(question.text):
        return question.text
    return f"{question.turns[-1].question} {question.text}"


def _refers(text: str) -> bool:
    words = {match[0].casefold() for match in WORD.finditer(text)}
    return not words.isdisjoint(_REFERRING) or len(terms(text, language_of_words([text]))) < _FEW_TERMS
