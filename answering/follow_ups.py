"""What is looked for when a question refers to earlier ones. What does not belong here: the prompt, which shows all turns."""

from answering.answers import Question
from answering.terms import language_of_words, terms
from seed_assets.core.text.words import WORD

# Words by which a question refers to what was said before, in the languages of the stop words; chosen by judgement.
_WORDS = """
it its he him his she her they them their this that these those there then one ones former latter same
er sie es ihn ihm ihr ihre dessen deren dieser diese dieses dort il elle ils elles lui leur cela ceci celui celle
él ella ellos ellas eso esto ese esta lo la los las esso essa isso ele ela он она оно они его её их это
"""
_REFERRING = frozenset(_WORDS.split())
# A question with fewer words of its own than this may leave out what it is about; chosen by judgement.
_FEW_TERMS = 3


def sought(question: Question) -> str:
    """Return the words to look for: those of the question, after those of the one before if it refers to that."""
    if not question.turns or not _refers(question.text):
        return question.text
    return f"{question.turns[-1].question} {question.text}"


def _refers(text: str) -> bool:
    words = {match[0].casefold() for match in WORD.finditer(text)}
    return not words.isdisjoint(_REFERRING) or len(terms(text, language_of_words([text]))) < _FEW_TERMS
