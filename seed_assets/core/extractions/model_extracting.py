"""Extractions by a model. What belongs here: what is asked, piece by piece, and what is reused.

What does not: reading an answer (answer_values), rows of several answers (merging), the user's declaration (declarations),
sending requests (model_stage).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from io_managers.store.fingerprint import Action, KeyTemplate, Part, content_digest
from resources.endpoints.llm import Schema, Tokens, Usage
from resources.errors import ConfigurationError
from resources.models.tokens import usual_tokens
from seed_assets.core.extractions.answer_values import Passage, read_answer
from seed_assets.core.extractions.declarations import Declaration
from seed_assets.core.extractions.extraction import Extraction, FoundRow
from seed_assets.core.extractions.fields import answer_schema, field_lines
from seed_assets.core.extractions.given_models import users_check
from seed_assets.core.extractions.merging import merged
from seed_assets.core.extractions.written_answers import written_answer
from seed_assets.core.prompting.material import MarkedTexts
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.core.prompting.prompts import Prompt, load_prompt
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.text.chunking import Chunk
from seed_assets.core.text.text_parts import split_for_model
from seed_assets.core.text.text_work import TextWork
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Made, Reuse

# All were chosen by judgement, for estimates: the tokens of a value and of its quotation in an answer, and the usual number of
# rows of an answer that may have many.
_TOKENS_PER_VALUE, _TOKENS_PER_QUOTE, _USUAL_ROWS = 15, 40, 8
_REPLY = "extraction_reply"


@dataclass(frozen=True)
class ModelExtractor(ModelStage):
    """Asks a model for the facts that a user declares.

    There is one request per document, per part of a document that exceeds the model's context, or per chunk. A blank text, or
    no value to be shown, costs no request.

    declaration: what the user wants. chunk_characters: the most characters of a chunk, for estimates.
    work: the workers that cut a text into parts; None means a thread of this process.
    """

    declaration: Declaration
    chunk_characters: int
    work: TextWork | None = field(default=None, compare=False, repr=False)

    role = "extractor"
    prompt_name = "extractions"

    @property
    def parameters(self) -> Mapping[str, Part]:
        """The fields, what is asked about, and the code of a model that was given in the place of fields."""
        shape = self.declaration.shape
        return {**self.declaration.identity, **({"schema": shape.digest} if shape else {})}

    def __post_init__(self) -> None:
        """Raise ConfigurationError if the question alone takes more than the model's context."""
        room = self.model.context_tokens - self.model.max_output_tokens
        if self._around_tokens > room:
            name = self.declaration.name
            raise ConfigurationError(
                f"extract.{name}: its prompt and its fields take about {self._around_tokens:,} tokens, and the context of the "
                f"model has room for {room:,}. Shorten them, make two extractions of this one, or raise `llm.context_tokens` if "
                "the model holds more."
            )

    @cached_property
    def _around_tokens(self) -> int:
        """About how many tokens a question has besides what it is about."""
        texts, declared = self.prompt.texts, self.declaration
        around = usual_tokens(len(texts["system"]) + len(texts["whole"]))
        return around + usual_tokens(len(declared.instructions) + len(field_lines(declared.fields)))

    @cached_property
    def _template(self) -> Prompt:
        return load_prompt(self.prompt_name)

    @cached_property
    def prompt(self) -> Prompt:
        """The project's prompt with the schema of answers, and with the digest of the user's own."""
        declared = self.declaration
        schema = Schema("extraction", answer_schema(declared.fields, many=declared.many))
        own = replace(self._template, schema=schema, digest=declared.prompt_digest, data=declared.prompt_data)
        return own.showing(self.examples)

    @property
    def identity(self) -> Mapping[str, Part]:
        """See ModelStage; `prompt` is the user's, `template` the project's around it."""
        return {**super().identity, "template": self._template.digest}

    @property
    def kind(self) -> str:
        """What decides whether a reply is kept if only the inputs do: the fields and the rows that are wanted."""
        return f"model {content_digest(json.dumps(self.declaration.identity, sort_keys=True).encode())}"

    @property
    def files(self) -> Sequence[str]:
        """The files that the user named; see OfFiles."""
        return self.declaration.files

    def setting_of(self, path: str) -> str:
        """The setting of the extraction that decides a part of the identity; see OfSettings."""
        if path == "model.model":
            return f"extract.{self.declaration.name}.model" if self.declaration.model else "llm.model"
        own = ("prompt", "fields", "schema", "rows", "over", "merge_by", "inputs")
        if path and path.partition(".")[0] not in own:
            return ""
        return ".".join(filter(None, ("extract", self.declaration.name, path)))

    def estimate(self, characters: int) -> Usage:
        """Estimate the highest cost of a document of `characters`; see Priced."""
        declared = self.declaration
        around = self._around_tokens + self.example_tokens()
        most = self.model.max_output_tokens
        answer = min(most, sum(_answer_tokens(one.quoted, one.is_list) for one in declared.fields))
        answer = min(most, answer * _USUAL_ROWS) if declared.many else answer
        if not declared.of_text:
            return self.charge(1, Tokens(around, answer))
        tokens = usual_tokens(characters)
        if declared.over_chunks:
            # Two neighbouring chunks together exceed the size of one; otherwise they would be one.
            requests = 2 * characters // self.chunk_characters + 1
        else:
            room = max(1, int((self.model.context_tokens - most) * 0.9) - around)
            requests = -(-tokens // room)
        return self.charge(requests, Tokens(tokens + requests * around, requests * answer))

    async def extract(
        self,
        source: ExtractedText | None,
        chunks: Sequence[Chunk] | None,
        given: Mapping[str, Any],
        reuse: Reuse,
    ) -> Extraction:
        """Find the facts; see Extractor."""
        if (source is None and not given) or (source is not None and not source.text.strip()):
            return self._nothing()
        if not self.declaration.by_inputs:
            return await self._asked(source, chunks, given, reuse)

        async def compute(_: Sequence[Action], own: Reuse) -> list[Made]:
            return [(await self._asked(source, chunks, given, own), "")]

        text = "" if source is None else content_digest(f"{source.title}\0{source.text}".encode())
        action = KeyTemplate(_REPLY, {"extraction": self.declaration.name, "kind": self.kind}).action(
            {"text": text, "given": content_digest(json.dumps(given, sort_keys=True).encode())}
        )
        (found,) = await reuse.values([action], compute, Extraction)
        return found

    def example_answer(self, value: Extraction, text: str) -> Any:
        """The answer with these rows; None if the model's own answer cannot be known from them; see GivesExamples."""
        declared = self.declaration
        if not declared.of_text or declared.given or value.warnings:
            return None
        answer = written_answer(value, declared.fields, many=declared.many)
        read = read_answer(answer, declared.fields, Passage(text), many=declared.many)
        same = [row.values for row in read.rows] == [row.values for row in value.rows]
        return answer if same and not read.warnings else None

    def _nothing(self) -> Extraction:
        return Extraction(() if self.declaration.many else (FoundRow({}),))

    async def _asked(
        self,
        source: ExtractedText | None,
        chunks: Sequence[Chunk] | None,
        given: Mapping[str, Any],
        reuse: Reuse,
    ) -> Extraction:
        shown = {
            "instructions": self.declaration.instructions,
            "fields": field_lines(self.declaration.fields),
            "given": MarkedTexts("value", [_written(value) for value in given.values()], list(given)),
        }
        if source is None:
            return await self._ask("values", Passage(""), reuse, shown)
        shown["title"] = source.title
        pieces = await self._parts(source.text, shown) if chunks is None else chunks
        which = "whole" if [piece.text for piece in pieces] == [source.text] else "piece"
        found = await all_of(
            self._ask(which, Passage(one.text, one.start, source.page_starts), reuse, {**shown, "text": one.in_context})
            for one in pieces
        )
        declared = self.declaration
        return merged(found, declared.fields, declared.merge_by, many=declared.many)

    async def _parts(self, text: str, shown: Mapping[str, Any]) -> list[Chunk]:
        """The text as a whole, or the parts that fit into the context."""
        parts: list[Chunk] = []
        for part in await split_for_model(self.work, text, self.model, self.prompt.turns("piece", **shown)):
            start = text.index(part, parts[-1].end if parts else 0)
            parts.append(Chunk(part, start, start + len(part)))
        return parts

    async def _ask(self, which: str, passage: Passage, reuse: Reuse, shown: Mapping[str, Any]) -> Extraction:
        declared = self.declaration

        def check(found: Any) -> Extraction:
            return read_answer(found, declared.fields, passage, many=declared.many)

        return await self.ask(self.prompt.turns(which, **shown), check, reuse, users_check(declared))


def _answer_tokens(quoted: bool, is_list: bool) -> int:
    """The usual length of a field in an answer."""
    return (_TOKENS_PER_VALUE + quoted * _TOKENS_PER_QUOTE) * (3 if is_list else 1)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
