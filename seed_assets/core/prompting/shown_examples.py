"""Accepted results of other documents, as a model is shown them before a question.

What belongs here: the types, and their form in a prompt. What does not: which results are examples, and which of them are shown
for a document (core.examples).
"""

from collections.abc import Iterator

import msgspec

from seed_assets.core.prompting.material import MarkedTexts

PLACE = "shownexamples"
"""The name of the place in the prompt."""
_DOCUMENT, _ANSWER = "exampledocument", "exampleanswer"


class ShownExample(msgspec.Struct, frozen=True):
    """One example. document_id: its document. title, text: of this document. answer: the JSON of the accepted answer."""

    document_id: str
    title: str
    text: str
    answer: str


class ShownExamples(msgspec.Struct, frozen=True, omit_defaults=True):
    """The examples for one document, the most similar one first. template: the content digest of the prompt that shows them."""

    examples: tuple[ShownExample, ...] = ()
    template: str = ""

    def marked(self) -> Iterator[MarkedTexts]:
        """The documents and answers, each between marks of its own."""
        for one in self.examples:
            yield MarkedTexts(_DOCUMENT, [one.text], [one.title])
            yield MarkedTexts(_ANSWER, [one.answer])


NO_EXAMPLES = ShownExamples()
