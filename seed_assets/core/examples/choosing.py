"""Which examples a model is shown for a document: the most similar ones. What does not belong here: the selection itself, and how
examples stand in a prompt (core.prompting).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from io_managers.store.fingerprint import Part
from resources.models.embedder import LocalEmbedder
from resources.models.tokens import count_tokens
from seed_assets.core.examples.selection import Example, Selection, digest_of
from seed_assets.core.prompting.prompts import Prompt, load_prompt
from seed_assets.core.prompting.shown_examples import ShownExample, ShownExamples

if TYPE_CHECKING:
    from resources.models.float_arrays import Float32Array

# The numbers were chosen by judgement. What a document is about is known from so many characters.
_READ_CHARACTERS = 20_000
# A document is a copy or another version of an example if it has so large a share of the example's pieces of so many characters.
_SAME_SHARE, _PIECE_CHARACTERS = 0.9, 40
# Differences below this come from the order in which a processor adds, and decide nothing.
_DECIMALS = 4
# The marks around an example, in tokens.
_AROUND_TOKENS = 30


@dataclass(frozen=True)
class ExampleChooser:
    """Chooses the examples of one stage by the likeness of their vectors to that of the document; it is deterministic.

    selection: the frozen selection. stage: whose examples. schema: the digest of the schema of its answers. count: the most
    examples that are shown. tokens: the most tokens that all of them have.
    """

    selection: Selection
    stage: str
    schema: str
    count: int
    tokens: int
    embedder: LocalEmbedder

    @property
    def identity(self) -> Mapping[str, Part]:
        """Everything that decides which examples are shown, and how, besides the selection."""
        return {
            "method": "similar-1",
            "count": self.count,
            "tokens": self.tokens,
            "embedder": dict(self.embedder.identity),
            "template": self._template.digest,
        }

    @property
    def prompt_texts(self) -> Mapping[str, bytes]:
        """The prompt that shows examples; see OfPrompts."""
        return {self._template.digest: self._template.data}

    @property
    def files(self) -> Sequence[str]:
        """The file of the selection; see OfFiles."""
        return self.selection.files

    def setting_of(self, path: str) -> str:
        """The setting that decides a part of the identity; see OfSettings."""
        return {"count": "examples.show", "tokens": "examples.tokens"}.get(path, "")

    @cached_property
    def _template(self) -> Prompt:
        return load_prompt("examples")

    @cached_property
    def _all(self) -> tuple[Example, ...]:
        return self.selection.examples(self.stage, self.schema)

    @cached_property
    def _digest(self) -> str:
        return digest_of(self._all)

    @cached_property
    def _sizes(self) -> Mapping[str, int]:
        """The tokens of each example, by its text."""
        return {
            one.text: count_tokens(one.title)
            + count_tokens(one.text)
            + count_tokens(one.written_answer)
            + _AROUND_TOKENS
            for one in self._all
        }

    @cached_property
    def _vectors(self) -> "Float32Array":
        return self.embedder.embed_sync([one.text for one in self._all])

    def most_tokens(self) -> int:
        """Return how many tokens the examples in one request can have. Raises ConfigurationError."""
        return min(self.tokens, sum(sorted(self._sizes.values())[-self.count :]))

    def digest_beside(self, document: str) -> str:
        """Return the digest of all examples that are not of this document. Raises ConfigurationError."""
        own = any(one.document == document for one in self._all)
        return digest_of([one for one in self._all if one.document != document]) if own else self._digest

    def choose(self, document: str, text: str) -> ShownExamples:
        """Return the examples for a document, none of which is of itself, of a copy or of another version of it.

        Raises ConfigurationError.
        """
        import numpy as np

        if not self._all or not text.strip():
            return ShownExamples((), self._template.digest)
        vector = self.embedder.embed_sync([text[:_READ_CHARACTERS]])[0]
        likeness = np.round((self._vectors @ vector).astype(np.float64), _DECIMALS)
        collapsed = _collapsed(text[: 2 * _READ_CHARACTERS])
        shown: list[ShownExample] = []
        left = self.tokens
        for at in np.argsort(-likeness, kind="stable"):
            one = self._all[at]
            if len(shown) == self.count:
                break
            if one.document != document and self._sizes[one.text] <= left and not _is_version(collapsed, one.text):
                left -= self._sizes[one.text]
                shown.append(ShownExample(one.document, one.title, one.text, one.written_answer))
        return ShownExamples(tuple(shown), self._template.digest)


def _collapsed(text: str) -> str:
    return " ".join(text.casefold().split())


def _is_version(collapsed: str, example: str) -> bool:
    """Whether a text has nearly all of an example's text."""
    sought = _collapsed(example)
    pieces = [sought[at : at + _PIECE_CHARACTERS] for at in range(0, len(sought), _PIECE_CHARACTERS)]
    return sum(piece in collapsed for piece in pieces) >= _SAME_SHARE * len(pieces)
