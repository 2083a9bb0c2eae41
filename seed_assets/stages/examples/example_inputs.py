"""The corpus input of the stages of examples: the frozen selection, without what is of the document itself."""

from collections.abc import Callable
from dataclasses import dataclass

from io_managers.store.fingerprint import Part
from seed_assets.core.examples.choosing import ExampleChooser
from seed_assets.core.prompting.shown_examples import ShownExamples
from seed_assets.graph.corpus_inputs import CorpusInput, Opened
from seed_assets.graph.published import PublishedCorpus

Choice = Callable[[str], ShownExamples]
"""Gives the examples for a text."""


@dataclass(frozen=True)
class SelectedExamples(CorpusInput):
    """The input that gives a stage the choice among the examples of other documents. It looks at no result of the corpus."""

    chooser: ExampleChooser

    @property
    def looks_at(self) -> tuple[str, ...]:
        """No stage: the selection is frozen."""
        return ()

    def part(self, corpus: PublishedCorpus, unit: str) -> Part:
        """Return the digest of the examples that are not of this document. Raises ConfigurationError."""
        return {"examples": self.chooser.digest_beside(unit)}

    def frozen_part(self) -> Part:
        """Return the digest of all examples. Raises ConfigurationError."""
        return {"examples": self.chooser.digest_beside("")}

    async def value(self, corpus: PublishedCorpus, unit: str, opened: Opened) -> Choice:
        """Return the choice for this document."""
        return lambda text: self.chooser.choose(unit, text)
