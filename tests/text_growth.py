"""Whether the time of text work grows with a text's length, and not with its square.

What belongs here: which functions take text, what they are tried with, and how growth is measured. `python -m
tests.text_growth [WORD ...]` lets every input grow from 64 KB to 1 MB, in steps of two doublings, which takes about an hour;
the words choose functions by name. The suite does a part of it (test_text_growth).

A function of seed_assets.core with one required parameter, of type str or bytes, is found and measured without being named
here. Any other that takes text stands in CALLS, or in NO_TEXT with the reason why its strings are short.
"""

import gc
import importlib
import inspect
import pkgutil
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

import seed_assets.core
from resources.models.embedder import WordLlamaEmbedder
from resources.models.tokens import at_most_tokens, count_tokens
from seed_assets.core.clusters.arranged_members import compared_members
from seed_assets.core.clusters.categories import ConceptDocument, make_categories
from seed_assets.core.clusters.category_terms import find_terms
from seed_assets.core.clusters.cluster_extracts import concepts_of
from seed_assets.core.clusters.cluster_members import ClusterMaterial, Member
from seed_assets.core.clusters.cluster_rules import CategoryRules
from seed_assets.core.clusters.cluster_summarizing import ExtractiveClusterSummarizer
from seed_assets.core.clusters.distinguishing import background_of, distinguishing_concepts
from seed_assets.core.clusters.language_means import languages_of
from seed_assets.core.clusters.topic_space import TermCounts
from seed_assets.core.concepts.concepts import Concept, Concepts, StatisticalConceptExtractor
from seed_assets.core.concepts.model_concepts import ConceptsAnswer
from seed_assets.core.entities.aliases import NameGroups, defined_names
from seed_assets.core.entities.entities import Entities, Entity, entities_in, of_quantities, with_records
from seed_assets.core.entities.known_names import Terms
from seed_assets.core.entities.name_spans import name_spans
from seed_assets.core.entities.name_types import TYPES, mention_cues
from seed_assets.core.entities.name_words import name_words
from seed_assets.core.entities.records.record_kinds import RecordKind
from seed_assets.core.entities.records.record_texts import records_of
from seed_assets.core.examples.choosing import ExampleChooser
from seed_assets.core.examples.selection import Example, Selection, StageExamples
from seed_assets.core.extractions.answer_values import Passage
from seed_assets.core.extractions.extraction import Extraction, FoundRow
from seed_assets.core.extractions.fields import Field
from seed_assets.core.extractions.merging import merged
from seed_assets.core.extractions.normal_values import normal_value
from seed_assets.core.judging.comparison import Comparison
from seed_assets.core.judging.copied_wording import copied_wording
from seed_assets.core.judging.copies import CopiedText, CopiedTexts
from seed_assets.core.judging.edits import changed
from seed_assets.core.judging.evidence import Evidence
from seed_assets.core.judging.judging import SimilarityJudge
from seed_assets.core.judging.opposition import SourceWords
from seed_assets.core.judging.passages import SourcePassages, in_order
from seed_assets.core.judging.source_extracts import Extract, as_material, digest, extracts_for
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.core.profiles.passages import entity_passages_in
from seed_assets.core.profiles.profiles import ExtractiveProfileWriter, ProfileSource
from seed_assets.core.prompting.json_answers import json_end, read_json
from seed_assets.core.prompting.material import MarkedTexts, without_marks
from seed_assets.core.reading.document_fields import read_fields
from seed_assets.core.reading.docx.symbols import in_symbol_font
from seed_assets.core.reading.extraction import extract
from seed_assets.core.reading.field_values import cleaned_values
from seed_assets.core.reading.markdown_blocks import code, heading, table, within_cell
from seed_assets.core.reading.markup.asciidoc_header import read_header
from seed_assets.core.reading.markup.asciidoc_inline import Attributes, asciidoc_text
from seed_assets.core.reading.markup.asciidoc_tables import asciidoc_table
from seed_assets.core.reading.markup.org_inline import org_text
from seed_assets.core.reading.ocr.languages import other_language
from seed_assets.core.reading.outlook.compressed_rtf import decompressed_rtf
from seed_assets.core.reading.pdf.boxes import Box
from seed_assets.core.reading.pdf.normal_pages import normalised_pages
from seed_assets.core.reading.pdf.placing import PlacedText
from seed_assets.core.reading.pdf.running.edge_lines import EdgeLine
from seed_assets.core.reading.pdf.running.running_lines import without_running_lines
from seed_assets.core.reading.pdf.tables.table_cells import FoundTable, markdown, with_tables
from seed_assets.core.reading.pdf.tables.table_likeness import is_filled_grid, is_numeric, is_table
from seed_assets.core.reading.pdf.tables.table_pages import goes_on, with_tables_joined
from seed_assets.core.reading.text.alphabets import letter_fit
from seed_assets.core.reading.text.language_likeness import language_likeness
from seed_assets.core.reading.text.mail import is_stub
from seed_assets.core.reading.text.text_decoding import decode_text
from seed_assets.core.reading.text.text_file import read_text_file
from seed_assets.core.reading.text.yaml_fields import yaml_entries
from seed_assets.core.relationships.together import mentioned_together
from seed_assets.core.summaries.summarizing import ExtractiveSummarizer
from seed_assets.core.text.boundaries import pieces_between, pieces_of
from seed_assets.core.text.chunking import Chunk, Chunker, Chunks
from seed_assets.core.text.grammar.noun_phrases import noun_phrases
from seed_assets.core.text.proper_names import ProperNames
from seed_assets.core.text.quotations import QuotedText, locate
from seed_assets.core.text.sentences import split_long
from seed_assets.core.text.stopwords import covered_by_language, stop_words
from seed_assets.core.text.table_lines import tables_in
from seed_assets.core.text.text_parts import parts_within
from seed_assets.core.text.unicode_forms import normal_form
from seed_assets.core.text.word_runs import word_runs
from seed_assets.stages.documents import validity
from seed_assets.stages.documents.validity import uncovered, ungrounded

ALPHABETS = (
    ".", " ", "a", "(", "<", "[", '"', "'", "7", "-", "\n", "\u0301", "\u0301\u0323", "語", "e\u0301", "*", "#", "_", "&",
    ":", "@", "|", "`", "~", "=", "。", "\t", "\u00ad", "\u200b", "ก", "ा", "\ufeff",
    ". a", "a.a.", "<a <a", "![[", "|-|", "\\", "&amp", "ab\u00ad", "0.0.", "'s", "a's ", "A. B. ", "a-\n", "a-\n\n\n",
    "a; ", ";a", "1,000 ", "000.", "a@", ":a", "http://a", "# a #", "# a # \n", "<h1>", "<h1", "**a", "a\n\nb\n\n\nc\n",
    "hundred ", "not ", "word word. ", "Ab Cd ef. ", "…) ", "?!", "- a\n", "a: b\n", "---\n", "語。", "語；", "\x00a", "\x1b$B",
    "{[", "title: a\n", "a = ", "<a b='", "<!-", "<td>", "<table>", "x" * 997 + " ", "a." * 499 + "\n",
    "\\a{", "\\a[", "$a ", "\\(", "\\begin{a}", "\\item ", "* a\n", "| a ", "[[a]", "{a}", "#+begin_src\n", "----\n", ":a: b\n",
    "<!-- ", "%% a", "(data:a/b;a,", "\x1b[", "\x1b]a", "a\b", "a\f", "a\u200d", "ﬁ",
)  # fmt: skip
"""What texts are made of, over and over."""

STARTS: Mapping[str, int] = {"text_parts.parts_within": 32 * 1024}
"""From how many characters on a function is measured that leaves a shorter text whole: to begin to cut is no growth."""

_SHORT = "the tide of 7 rivers, and nobody else"
_NOT_MEASURED_SECONDS = 0.02
_MOST_GROWTH = 2.6
_TRIES = 4


@cache
def _embedder() -> WordLlamaEmbedder:
    return WordLlamaEmbedder()


def _source(text: str) -> SourceText:
    return SourceText("a.txt", "A title", text)


def _tables(text: str) -> tuple[str, str, str]:
    """Below the header of a table, between small tables, and as many of these without a blank line."""
    small = "a | b\n--- | ---\nc | d\n"
    return f"{small}{text}", text.replace("\n", f"\n{small}"), small * (len(text) // len(small))


def _material(text: str) -> ClusterMaterial:
    members = tuple(Member(f"{number}.txt", text, text, (text[:50], "tide"), 0.5) for number in range(3))
    return ClusterMaterial("topic/1", "topic", members, {"tide": 3}, 10)


def _concepts_check(text: str) -> object:
    from seed_assets.core.concepts.model_concepts import _grounding

    answer = {"concepts": [{"name": "tide", "kind": "term", "evidence": text[: len(text) // 2] + "!"}]}
    ConceptsAnswer.model_validate(answer)
    try:
        return _grounding(text)(answer)
    except ValueError:
        return None


def _judged_quotation(text: str) -> object:
    from seed_assets.core.judging.model_judging import _place

    return _place(text[: len(text) // 2], QuotedText(text)), _place("the tide of rivers… " * 50, QuotedText(text))


def _chooser(text: str) -> ExampleChooser:
    """What chooses among four examples with this text, which stand in no file."""
    selection = Selection(Path("examples.json"))
    examples = tuple(Example(f"{number}.txt", "", text, {}) for number in range(4))
    selection.__dict__["stages"] = {"summaries": StageExamples(1, "", examples)}
    return ExampleChooser(selection, "summaries", "", 3, 3_000, _embedder())


_RECORDS = (RecordKind("person", ("a",), ("b",)),)


def _as_records(text: str) -> str:
    """A text whose words are the values of one record."""
    return "; ".join(f"a: {word}" for word in text.split(" "))


def _some_entities(text: str) -> Entities:
    """Entities at regular distances, each with two mentions."""
    starts = range(0, max(0, len(text) - 80), 64)
    return Entities(
        tuple(Entity(text[at : at + 8], "x", "person", ((at, at + 8), (at + 32, at + 40))) for at in starts)
    )


CALLS: Mapping[str, Callable[[str], object]] = {
    "aliases.defined_names": lambda text: list(defined_names(text, name_spans(text, name_words(text)))),
    "merging.merged": lambda text: merged(
        [Extraction(tuple(FoundRow({"name": word, "parts": [word]}) for word in text.split()))],
        [Field("name", "text"), Field("parts", "text", is_list=True)],
        ["name"],
        many=True,
    ),
    "normal_values.normal_value": lambda text: [_normal_or_none(one, text) for one in _OF_TEXT],
    "aliases.NameGroups.__init__": lambda text: NameGroups(text.split()),
    "entities.entities_in": lambda text: entities_in(text, "", list(TYPES), {text[:9]: ("person", text[:9])}),
    "together.mentioned_together": lambda text: mentioned_together(text, "", _some_entities(text)),
    "passages.entity_passages_in": lambda text: entity_passages_in(text, "", _some_entities(text)),
    "profiles.ExtractiveProfileWriter.description": lambda text: ExtractiveProfileWriter().description(
        [ProfileSource("a", "", 0, len(text), text)] * 3
    ),
    "entities.with_records": lambda text: with_records(Entities(()), _as_records(text), _RECORDS),
    "record_texts.records_of": lambda text: records_of(_as_records(text), _RECORDS),
    "entities.of_quantities": lambda text: of_quantities(text, [], TYPES),
    "known_names.Terms.in_unspaced": lambda text: list(Terms([text[:9], "\u6f6e\u6c50"]).in_unspaced(text)),
    # The last word is nowhere, so that the words of the text are always read: what begins within a word is found by these only.
    "answer_values.Passage.quotation": lambda text: Passage(text).quotation(f"{text[len(text) // 2 :][:200]} {_SHORT}"),
    "known_names.Terms.__init__": lambda text: [
        list(terms.within(sentence)) for terms in [Terms(text.split()[:50])] for sentence in name_words(text).sentences
    ],
    "name_spans.name_spans": lambda text: name_spans(text, name_words(text)),
    "name_types.mention_cues": lambda text: mention_cues(text, (len(text) // 2, len(text) // 2 + 9)),
    "alphabets.letter_fit": lambda text: letter_fit(f"é{text}", "cp1252"),
    "boundaries.pieces_between": lambda text: list(pieces_between(text, 10, len(text), 1000)),
    "boundaries.pieces_of": lambda text: (pieces_of(text, 1000), pieces_of(text, 700, 120)),
    "compressed_rtf.decompressed_rtf": lambda text: _unless_refused(
        decompressed_rtf, b"\xff\xff\xff\xff" * 2 + b"LZFu    " + text.encode()
    ),
    "chunking.Chunker.chunk": lambda text: [Chunker(1000, 120).chunk(one, "") for one in (text, *_tables(text))],
    "arranged_members.compared_members": lambda text: compared_members(_material(text), _embedder()),
    "categories.make_categories": lambda text: make_categories(
        [ConceptDocument(str(at), text[at:], (text[at:],), np.ones(4, np.float32)) for at in range(4)],
        CategoryRules(1),
        None,
    ),
    "topic_space.TermCounts.of": lambda text: TermCounts.of([Counter(text.split())] * 2),
    "category_terms.find_terms": lambda text: find_terms([text] * 2, [(text, *text.split()[:15])] * 2, ["", "fr"]),
    "cluster_summarizing.ExtractiveClusterSummarizer.write_sync": lambda text: ExtractiveClusterSummarizer(
        _embedder()
    ).write_sync(_material(text)),
    "cluster_extracts.concepts_of": lambda text: concepts_of(_material(text)),
    "concepts.StatisticalConceptExtractor.extract_sync": lambda text: StatisticalConceptExtractor(
        _embedder()
    ).extract_sync(text, text[:1000]),
    "comparison.Comparison.__init__": lambda text: Comparison([_source(text)], _embedder()).claims([_SHORT]),
    "comparison.Comparison.claims": lambda text: Comparison([_source(_SHORT)], _embedder()).claims([text]),
    "comparison.Comparison.weighed": lambda text: Comparison([_source(text)], _embedder()).weighed([_SHORT]),
    "comparison.Comparison.concept": lambda text: Comparison([_source(text)], _embedder()).concept(
        "rivers of the tide"
    ),
    "copied_wording.copied_wording": lambda text: (copied_wording([_SHORT], [text]), copied_wording([text], [_SHORT])),
    "copies.CopiedTexts.__init__": lambda text: CopiedTexts([_source(text)]).mention(_SHORT),
    "copies.CopiedTexts.passage": lambda text: CopiedTexts([_source(text)]).passage(_SHORT),
    "copies.CopiedTexts.mention": lambda text: CopiedTexts([_source(text)]).mention(text[:1000]),
    "copies.CopiedText.__init__": lambda text: CopiedText(text).locate(text[100:300]),
    "copies.CopiedText.locate": lambda text: CopiedText(_SHORT).locate(text),
    "distinguishing.background_of": lambda text: background_of([text.split()[:15], [text]], {"tide": 1}),
    "distinguishing.distinguishing_concepts": lambda text: distinguishing_concepts(
        [text.split()[:15], [text]], {}, 2, 10
    ),
    "mail.is_stub": lambda text: is_stub("See the page.", text),
    "asciidoc_header.read_header": lambda text: read_header(text.split("\n")),
    "asciidoc_inline.asciidoc_text": lambda text: asciidoc_text(text, Attributes(), []),
    "asciidoc_tables.asciidoc_table": lambda text: asciidoc_table(text.split("\n"), "", "|", str.strip),
    "org_inline.org_text": lambda text: org_text(text, []),
    "markdown_blocks.code": lambda text: code(text.split("\n")),
    "document_fields.read_fields": lambda text: [
        _unless_refused(read_fields, text.encode(), kind) for kind in ("text", "markdown", "html")
    ],
    "edits.changed": lambda text: (changed(text, _SHORT), changed(_SHORT, text), changed(text, text)),
    "evidence.Evidence.__init__": lambda text: Evidence([_source(text)], _embedder()),
    "evidence.Evidence.weigh": lambda text: Evidence([_source(_SHORT)], _embedder()).weigh(text),
    "extraction.extract": lambda text: [
        _unless_refused(extract, start + text.encode(), kind)
        for start, kind in (
            (b"", "text"),
            (b"", "markdown"),
            (b"", "csv"),
            (b"a,b\n", "csv"),
            (b"", "json"),
            (b'{"a": "', "json"),
            (b"00:01.000 --> 00:02.000\n", "subtitles"),
            (b"From: a\n", "mail"),
            (b"{\\rtf1 ", "rtf"),
            (b"", "latex"),
            (b"", "asciidoc"),
            (b"", "org"),
            (b"<p>", "mhtml"),
        )
    ],
    "field_values.cleaned_values": lambda text: cleaned_values([text, *text.split()]),
    "yaml_fields.yaml_entries": yaml_entries,
    "json_answers.json_end": lambda text: json_end(f'{{"summary": "{text}', 0),
    "json_answers.read_json": lambda text: [
        _unless_refused(read_json, answer)
        for answer in (text, f'{{"summary": "{text}"}}', f"<think>{text}</think>{{}}")
    ],
    "opposition.SourceWords.__init__": lambda text: SourceWords([text.split()]),
    "opposition.SourceWords.opposites_in": lambda text: list(SourceWords([_SHORT.split()]).opposites_in(text)),
    "opposition.SourceWords.unknown_negated": lambda text: SourceWords([_SHORT.split()]).unknown_negated(text),
    "judging.SimilarityJudge.signals": lambda text: SimilarityJudge(_embedder()).signals([_SHORT], [_source(text)]),
    "judging.SimilarityJudge.judge_sync": lambda text: SimilarityJudge(_embedder()).judge_sync(
        f"{_SHORT}. {text[:500]}", ["tide", text[:100]], [_source(text)]
    ),
    "language_likeness.language_likeness": lambda text: language_likeness(f"é{text}", "cp1252"),
    "markdown_blocks.heading": lambda text: heading(2, text),
    "markdown_blocks.within_cell": lambda text: within_cell([[text, text], text.split(" ")]),
    "table_likeness.is_numeric": lambda text: is_numeric([text, *text.split(" ")]),
    "markdown_blocks.table": lambda text: table([[text, text], text.split(" ")]),
    "material.MarkedTexts.shown": lambda text: MarkedTexts("passage", [text, text], [text[:100], ""]).shown(
        {"passage"}
    ),
    "language_means.languages_of": lambda text: languages_of([text, _SHORT]),
    "choosing.ExampleChooser.choose": lambda text: [
        _chooser(of).choose("a.txt", text) for of in (text[:20_000], text[-3_000:], _SHORT)
    ],
    "material.without_marks": lambda text: without_marks(text, {"document", "claims"}),
    "passages.in_order": lambda text: in_order([_source(text), _source(text + "."), _source(text)]),
    "passages.SourcePassages.__init__": lambda text: SourcePassages([_source(text)], _embedder()),
    "passages.SourcePassages.best": lambda text: SourcePassages([_source(text)], _embedder()).best(_SHORT, 8),
    "passages.SourcePassages.matches": lambda text: SourcePassages([_source(_SHORT)], _embedder()).matches(text, 8),
    "proper_names.ProperNames.__init__": lambda text: ProperNames([text, *text.split("\n")]),
    "proper_names.ProperNames.within": lambda text: ProperNames([_SHORT]).within(text),
    "quotations.QuotedText.locate": lambda text: QuotedText(text).locate(_SHORT),
    "quotations.locate": lambda text: (
        locate(_SHORT, text),
        locate(text, _SHORT),
        locate(text[: len(text) // 2], f"x{text}"),
    ),
    "noun_phrases.noun_phrases": lambda text: list(noun_phrases(text.split(), "", "en")),
    "sentences.split_long": lambda text: split_long(text, (0, len(text)), 60),
    "source_extracts.digest": lambda text: digest(text, text),
    "source_extracts.extracts_for": lambda text: extracts_for([_SHORT], [_source(text)], _embedder(), 2000),
    "source_extracts.as_material": lambda text: as_material([Extract("a.txt", text, text, 0)]),
    "stopwords.covered_by_language": lambda text: covered_by_language(text.split()),
    "languages.other_language": lambda text: other_language(text.split(), ["eng"]),
    "stopwords.stop_words": lambda text: stop_words(text.split()),
    "word_runs.word_runs": lambda text: list(word_runs(text, frozenset({"the"}))),
    "summarizing.ExtractiveSummarizer.summarize_sync": lambda text: ExtractiveSummarizer(_embedder()).summarize_sync(
        text, text[:100]
    ),
    "table_lines.tables_in": lambda text: [list(tables_in(one)) for one in (text, *_tables(text))],
    "text_decoding.decode_text": lambda text: [
        _unless_refused(decode_text, data)
        for data in (text.encode(), text.encode("utf-16-le"), b"\xfc" + text.encode()[:65536])
    ],
    "symbols.in_symbol_font": lambda text: in_symbol_font(text, "Wingdings"),
    "text_file.read_text_file": lambda text: [
        _unless_refused(partial(read_text_file, markdown=markdown), start + text.encode())
        for start in (b"", b"From: a\nMIME-Version: 1.0\n\n", b"From: a\nSubject: =?utf-8?q?a?= ", b"---\na: ", b"{")
        for markdown in (False, True)
    ],
    "normal_pages.normalised_pages": lambda text: (
        normalised_pages(text, "\ufdd0"),
        normalised_pages(f"\ufdd0{text} \ufdd0é", "\ufdd0"),
    ),
    "running_lines.without_running_lines": lambda text: without_running_lines(
        [f"{text}\n{number}" for number in range(4)],
        [(EdgeLine(str(number), 10.0, False, 0, 2.0),) for number in range(4)],
        "",
    ),
    "table_cells.markdown": lambda text: markdown([[text, text], text.split("\n")[:2]]),
    "table_cells.with_tables": lambda text: with_tables(
        PlacedText(text, [None] * len(text)),
        [(FoundTable([[[0], [1]]], (0.0, 9.0), Box(0, 0, 9, 9), (0.0,)), [[text]])],
    ),
    "table_likeness.is_filled_grid": lambda text: is_filled_grid([[text, text], [text, text]]),
    "table_likeness.is_table": lambda text: is_table(
        [["a", text[at : at + 20]] for at in range(0, len(text), 20)], [[0.0], [9.0]]
    ),
    "table_pages.goes_on": lambda text: goes_on(text, text),
    "table_pages.with_tables_joined": lambda text: with_tables_joined(
        [f"| a |\n| --- |\n| {text} |", f"| a |\n| --- |\n| {text} |"], [(), ()]
    ),
    # So little room that all texts from STARTS on are cut: 16 of some characters make a token.
    "text_parts.parts_within": lambda text: parts_within(text, 500),
    "unicode_forms.normal_form": lambda text: (normal_form("NFC", text), normal_form("NFKC", text)),
    "validity.uncovered": lambda text: uncovered(Chunks("", (Chunk(text[:900], 0, 900),)), text),
    "validity.ungrounded": lambda text: ungrounded(Concepts((Concept("tide", 1.0, 1, 0, len(text)),)), text),
    # Not found by their parameters: they take what came of a text before.
    "checks of a model's concepts": _concepts_check,
    "checks of a model's quotations": _judged_quotation,
    "resources.models.tokens.count_tokens": count_tokens,
    "resources.models.tokens.at_most_tokens": at_most_tokens,
    "resources.models.embedder": lambda text: _embedder().embed_sync(
        [text[at : at + 1000] for at in range(0, len(text), 1000)]
    ),
}
"""How each function that needs more than a text is called."""

_OF_TEXT = (Field("name", "text"), Field("day", "date"), Field("kind", "one of", choices=("lease", "sale")))
_ID = "names, ids and settings, which other modules keep short"
_NAME = "names that were found in a text, which have at most twelve words"
_ASYNC = "as the function that it calls on another thread or in a worker"
_MODEL = "asks a model; what it does with text before and after is measured by itself"
_PACKED = "an archive or a page: what parsers do with it is bounded by the limits of the worker"
_FORMAT = "a format of extraction.extract, which is measured with it"
_VALUE = "holds what it is given"
_EXAMPLE = "an example of at most 20,000 characters, as `examples freeze` takes it"
_METHOD = "computes for a method that is measured as a whole"
_PIECE = "a piece of a page; tests/core/reading/html measures whole pages"
NO_TEXT: Mapping[str, str] = {
    "model_concepts.ModelConceptExtractor.example_answer": _EXAMPLE,
    "model_extracting.ModelExtractor.example_answer": _EXAMPLE,
    "model_summarizing.ModelSummarizer.example_answer": _EXAMPLE,
    "choosing.ExampleChooser.__init__": _VALUE,
    "choosing.ExampleChooser.digest_beside": _ID,
    "choosing.ExampleChooser.setting_of": _ID,
    "selection.schema_digest": _ID,
    "selection.Selection.examples": _ID,
    "selection.Selection.freeze": _EXAMPLE,
    "selection.Selection.of_documents": _ID,
    "selection.Selection.erase": _ID,
    "calibration.calibrate_file": _ID,
    "labelled_summaries.source_of": _ID,
    "chunk_places.ChunkPlaces.of": _METHOD,
    "decisions_file.EntityDecisions.about": _ID,
    "structured_output.UsersCheck.__init__": _VALUE,
    "aliases.NameGroups.join": _NAME,
    "aliases.NameGroups.key": _NAME,
    "aliases.members": _NAME,
    "entities.EntityExtractor.extract": _ASYNC,
    "entities.RuleEntityExtractor.extract": _ASYNC,
    "entities.RuleEntityExtractor.__init__": _VALUE,
    "drawing.picture": _NAME,
    "drawing.caption": _ID,
    "graph.EntityGraph.__init__": _VALUE,
    "graph.GraphSource.around": _ID,
    "graph.GraphSource.name": _ID,
    "graph.GraphSource.of": _ID,
    "graph.GraphSource.of_document": _ID,
    "merging.Merger.__init__": _VALUE,
    "merging.Merger.add": _ID,
    "merging.Relationship.other": _ID,
    "profiles.ProfileMaterial.action": _ID,
    "model_relations.ModelRelationExtractor.extract": _MODEL,
    "model_relations.ModelRelationExtractor.__init__": _VALUE,
    "passages.PassageChooser.choose": _ASYNC,
    "profiles.ProfileMaterial.__init__": _VALUE,
    "relations.RelationExtractor.extract": _ASYNC,
    "together.TogetherExtractor.extract": _ASYNC,
    "gazetteer.Gazetteer.__init__": _VALUE,
    "canonical.Resolution.__init__": _VALUE,
    "canonical.resolve": _NAME,
    "decisions_file.EntityDecision.__init__": _VALUE,
    "frozen_names.frozen_names": _NAME,
    "grouping.Decisions.__init__": _VALUE,
    "grouping.Group.__init__": _VALUE,
    "likeness.Likeness.__init__": _NAME,
    "pair_judging.ModelPairJudge.__init__": _VALUE,
    "likeness.names_forbid": _NAME,
    "letter_pairs.LetterPairs.__init__": _VALUE,
    "record_kinds.RecordKind.__init__": _VALUE,
    "record_likeness.RecordLikeness.__init__": _NAME,
    "kind_likeness.KindLikeness.__init__": _NAME,
    "record_values.Compared.__init__": _VALUE,
    "record_values.record_words": _NAME,
    "record_values.RecordValues.__init__": _NAME,
    "record_pairs.record_pairs": _NAME,
    "local_entities.LocalEntity.__init__": _VALUE,
    "local_entities.local_entities": _NAME,
    "known_list.KnownNames.__init__": _VALUE,
    "model_entities.ModelEntityExtractor.extract": _ASYNC,
    "model_entities.ModelEntityExtractor.__init__": _VALUE,
    "name_types.best_type": _ID,
    "name_words.NameWords.__init__": _VALUE,
    "declarations.Declaration.__init__": _VALUE,
    "declarations.GivenModel.__init__": _VALUE,
    "declarations.read_declarations": _ID,
    "declared_fields.check_choices": _ID,
    "declared_fields.checked_names": _ID,
    "declared_fields.declared_fields": _ID,
    "extraction.Extractor.extract": _ASYNC,
    "fields.Field.__init__": _VALUE,
    "fields.field_lines": _ID,
    "model_extracting.ModelExtractor.extract": _MODEL,
    "model_extracting.ModelExtractor.setting_of": _ID,
    "annotations.Written.__init__": _VALUE,
    "attachments.Attachments.__init__": _VALUE,
    "block.Block.__init__": _VALUE,
    "broad_groups.concept_nodes": _ID,
    "categories.ConceptDocument.__init__": _VALUE,
    "category_terms.Terms.__init__": _VALUE,
    "arranged_members.ArrangedMembers.__init__": _VALUE,
    "arranged_members.ComparedMembers.__init__": _VALUE,
    "cluster_extracts.extract_of": _METHOD,
    "cluster_extracts.needed": _METHOD,
    "cluster_extracts.title_of": _METHOD,
    "cluster_summarizing.ClusterSummarizer.write": _ASYNC,
    "cluster_summarizing.ExtractiveClusterSummarizer.write": _ASYNC,
    "collecting.Collector.add": _PIECE,
    "collecting.Collector.begin_item": _ID,
    "collecting.Collector.begin_list": _ID,
    "collecting.Collector.begin_span": _ID,
    "collecting.Collector.formula": _PIECE,
    "collecting.Collector.picture": _PIECE,
    "collecting.Collector.text": _PIECE,
    "concepts.ConceptExtractor.extract": _ASYNC,
    "concepts.StatisticalConceptExtractor.extract": _ASYNC,
    "corpus_map.draw_map": _ID,
    "corpus_map.draw_sizes": _ID,
    "corpus_views.ClusteringMaterial.__init__": _VALUE,
    "corpus_views.CategoryMaterial.__init__": _VALUE,
    "body.DocxBody.__init__": _VALUE,
    "document.read_docx": _PACKED,
    "document.read_pdf": _PACKED,
    "document.read_odt": _PACKED,
    "odf_file.OdfFile.__init__": _PACKED,
    "presentation.read_odp": _PACKED,
    "spreadsheet.read_ods": _PACKED,
    "web_archive.read_web_archive": _FORMAT,
    "document.read_pptx": _PACKED,
    "document.read_rtf": _FORMAT,
    "delimited.read_delimited": _FORMAT,
    "json_file.read_json": _FORMAT,
    "mail.messages_of": _FORMAT,
    "document.read_latex": _FORMAT,
    "conditionals.read_conditional": _FORMAT,
    "conditionals.set_by_let": _ID,
    "compounds.is_compound": "two parts of a word, which hyphenation.joined_hyphens finds",
    "undescribed_pictures.UndescribedPictures.refuse_alone": _PACKED,
    "defining.read_definition": _FORMAT,
    "definitions.Definitions.replaced": _FORMAT,
    "environments.read_environment": _FORMAT,
    "formulas.read_formula": _FORMAT,
    "literals.read_literal": _FORMAT,
    "reader.LatexReader.blocks": _FORMAT,
    "reader.LatexReader.read": _FORMAT,
    "reader.LatexReader.text_of": _FORMAT,
    "walk.Walk.blocks": _FORMAT,
    "walk.Walk.read": _FORMAT,
    "others.read_other": _FORMAT,
    "walk.Walk.text_of": _FORMAT,
    "writer.Writer.add": _FORMAT,
    "writer.Writer.block": _FORMAT,
    "writer.TableRows.cell": _FORMAT,
    "writer.ListItems.begin": _FORMAT,
    "writer.ListItems.end": _FORMAT,
    "source.Source.__init__": _FORMAT,
    "source.Source.next_is": _FORMAT,
    "source.Source.up_to": _FORMAT,
    "asciidoc.read_asciidoc": _FORMAT,
    "asciidoc_header.attribute_in": _FORMAT,
    "asciidoc_inline.Attributes.define": _FORMAT,
    "asciidoc_inline.Attributes.replaced": _FORMAT,
    "org.read_org": _FORMAT,
    "protected.Protected.put": _FORMAT,
    "protected.Protected.restored": _FORMAT,
    "emphasis.without_marks_of_emphasis": _FORMAT,
    "emphasis.with_literals_put_aside": _FORMAT,
    "included_files.included_warning": _ID,
    "asciidoc_inline.Attributes.value": _ID,
    "asciidoc_lists.ListPlaces.begin": _ID,
    "mail_file.read_mail_file": _FORMAT,
    "compound_file.CompoundFile.__init__": _PACKED,
    "compound_file.CompoundFile.names": _ID,
    "compound_file.CompoundFile.stream": _ID,
    "outlook_mail.read_outlook_mail": _PACKED,
    "archive_file.read_archive": _PACKED,
    "document_parts.DocumentParts.__init__": _ID,
    "document_parts.DocumentParts.warn": _ID,
    "document_parts.DocumentParts.without_reader": _ID,
    "document_parts.DocumentParts.block": "reads a part, as extraction.extract does",
    "notebook.read_notebook": _FORMAT,
    "subtitles.read_subtitles": _FORMAT,
    "epub.read_epub": _PACKED,
    "workbook.read_workbook": _PACKED,
    "zip_package.ZipPackage.bytes": _ID,
    "zip_package.ZipPackage.names": _ID,
    "zip_package.ZipPackage.parsed": _ID,
    "zip_package.OfficePackage.main_part": _ID,
    "zip_package.OfficePackage.related": _ID,
    "zip_package.OfficePackage.related_by_type": _ID,
    "zip_package.opened": _PACKED,
    "styles.OdtStyles.is_hidden": _ID,
    "styles.OdtStyles.position": _ID,
    "styles.OdtStyles.is_title": _ID,
    "styles.OdtStyles.list_level": _ID,
    "shapes.blocks_of": _ID,
    "body.OdtBody.__init__": _VALUE,
    "inline.OdtInline.__init__": _VALUE,
    "descriptions.Described.__init__": _VALUE,
    "record_text.RecordText.add": _FORMAT,
    "record_text.RecordText.heading": _FORMAT,
    "record_text.RecordText.paragraph": _FORMAT,
    "table_records.TableRecords.add": _FORMAT,
    "table_records.usual_width": _FORMAT,
    "table_records.with_few_blank_rows": _FORMAT,
    "header_rows.are_names": _FORMAT,
    "header_rows.are_pairs": _FORMAT,
    "header_rows.begins_table": _FORMAT,
    "header_rows.is_single": _FORMAT,
    "number_formats.zero_padded": _ID,
    "sheet_layout.SheetLayout.shown": _FORMAT,
    "sheet_layout.SheetLayout.without_hidden": _FORMAT,
    "sheet_layout.filled_downwards": _FORMAT,
    "sheet_layout.hidden_warning": _ID,
    "sheet_layout.layouts": _PACKED,
    "groups.position_of": _ID,
    "descriptions.Descriptions.text": _FORMAT,
    "descriptions.Descriptions.word": _FORMAT,
    "paragraphs.Paragraphs.add": _FORMAT,
    "mail.header_text": _FORMAT,
    "docx_text.DocxText.__init__": _VALUE,
    "elements.attribute": _ID,
    "elements.child": _ID,
    "elements.children": _ID,
    "elements.is_left_out": _ID,
    "elements.nearest": _ID,
    "elements.number": _ID,
    "evidence.ClaimEvidence.__init__": _VALUE,
    "facts.PageFacts.__init__": _VALUE,
    "field_table.FieldTable.values": _ID,
    "field_table.FieldTable.of": _ID,
    "field_table.FieldTable.digest": _ID,
    "failures.not_opened": _PACKED,
    "imported.read_imported": _PACKED,
    "pages.read_html": _PACKED,
    "collecting.Collector.field": _PIECE,
    "drawn_text.drawn_lines": _PIECE,
    "form_fields.field_of": _PIECE,
    "form_fields.is_beside_box": _PIECE,
    "form_fields.is_beside_field": _PIECE,
    "frames.named": _ID,
    "fragments.read_fragment": _PIECE,
    "inline.flat": _PIECE,
    "inline.is_reading_aid": _PIECE,
    "inline.is_sign": _PIECE,
    "inline.paragraphs": _PIECE,
    "inline.small_text": _PIECE,
    "judging.verdict_on": _ID,
    "language_means.language_means": _ID,
    "language_means.means_for": _ID,
    "opposites.opposites_of": "one word; its forms and prefixes are a fixed number",
    "wording_shares.WordingShares.__init__": _VALUE,
    "wording_shares.WordingShares.of": "terms of one claim; evidence.Evidence.weigh is measured",
    "numbering.Numbering.level_of_style": _ID,
    "numbering.Numbering.next_label": _ID,
    "outside.Outside.__init__": _VALUE,
    "outside.Outside.headers_and_footers": _PACKED,
    "page_texts.PageText.__init__": _VALUE,
    "page_texts.document_of": _PACKED,
    "page_texts.scan_warnings": _PACKED,
    "extraction.read_document": _PACKED,
    "failures.no_text": _ID,
    "languages.find_languages": _ID,
    "languages.missing_languages": _ID,
    "languages.missing_in": _ID,
    "languages.covers": _ID,
    "page_pictures.page_picture": _PACKED,
    "page_pictures.page_count": _PACKED,
    "picture_reader.PictureReader.identity_of": _ID,
    "page_pictures.picture_digests": _PACKED,
    "page_tasks.scan_page": _PACKED,
    "picture_file.read_picture_file": _PACKED,
    "picture_reader.PictureReader.__init__": _ID,
    "pdf_titles.title_of": _PACKED,
    "placing.PlacedText.__init__": _VALUE,
    "characters.PageCharacters.replace": "single characters of a page, which has at most as many as pdfium reads of it",
    "styles.ListPlace.__init__": _VALUE,
    "symbols.is_symbol_font": _ID,
    "symbols.symbol": _ID,
    "judging.Judge.judge": _ASYNC,
    "judging.SimilarityJudge.judge": _ASYNC,
    "main_text.Vote.share": _PIECE,
    "map_places.place_documents": _ID,
    "map_titles.Alphabet.shown": _ID,
    "map_titles.Alphabet.called": _ID,
    "map_titles.place_titles": _ID,
    "material.MarkedTexts.__init__": _VALUE,
    "model_cluster_summarizing.ModelClusterSummarizer.write": _MODEL,
    "model_concepts.ModelConceptExtractor.extract": _MODEL,
    "model_judging.ModelJudge.judge": _MODEL,
    "model_preference.ModelPreference.prefer": _MODEL,
    "model_preference.Preference.__init__": _VALUE,
    "model_revising.ModelReviser.revise": _MODEL,
    "model_summarizing.ModelSummarizer.summarize": _MODEL,
    "model_stage.ModelStage.estimated": _ID,
    "pictures.CorpusPicture.__init__": _VALUE,
    "numerals.Number.__init__": _VALUE,
    "page_tables.data_rows": _PIECE,
    "passages.SourcePassage.__init__": _VALUE,
    "passages.Sentence.__init__": _VALUE,
    "passages.SourcePassages.places": _ID,
    "passages.SourcePassages.weight": _ID,
    "phrases.Phrase.__init__": _VALUE,
    "prompts.Prompt.__init__": _VALUE,
    "prompts.Prompt.fill": "replaces places in the prompt, once each",
    "prompts.Prompt.turns": "replaces places in the prompt, once each",
    "revision.Reviser.revise": _ASYNC,
    "revision.NoReviser.revise": "does nothing",
    "revision.judged": "calls a judge and a writer",
    "set_clustering.cluster_sets": _ID,
    "source_extracts.Extract.__init__": _VALUE,
    "stable_clusters.cluster_from_scratch": _ID,
    "stable_clusters.drift_since": _ID,
    "stable_clusters.continue_clustering": _ID,
    "stable_clusters.match_ids": _ID,
    "summarizing.Summarizer.summarize": _ASYNC,
    "summarizing.ExtractiveSummarizer.summarize": _ASYNC,
    "source_extracts.find_extracts": _ASYNC,
    "table_lines.TableLines.__init__": _VALUE,
    "text_parts.split_for_model": _ASYNC,
    "text_work.TextWork.run": _ASYNC,
    "textrank.similarities": "at most 800 sentences, which it compares with each other",
    "topic_space.TermCounts.__init__": _VALUE,
    "topic_space.TopicDocument.__init__": _VALUE,
    "topic_space.fit_basis": _ID,
    "topic_space.wording_rows": _ID,
    "workers_embedder.WorkersEmbedder.embed": _ASYNC,
    "phrase_choice.best_phrases": _METHOD,
    "pictures.MapPlaces.array": _ID,
    "sentence_choice.best_sentences": _METHOD,
}
"""Functions whose strings are no text of any length, and why."""

_TEXTUAL = re.compile(r"\b(?:str|bytes|SourceText|ExtractedText|Chunks|ClusterMaterial|Extract)\b")


def _normal_or_none(one: Field, text: str) -> object:
    try:
        return normal_value(one, text)
    except ValueError:
        return None


def _unless_refused(function: Callable[..., object], *arguments: object) -> object:
    from resources.endpoints.llm import UnusableReplyError
    from resources.errors import DocumentError

    try:
        return function(*arguments)
    except (
        DocumentError,
        RecursionError,
        UnusableReplyError,
    ):  # the parser of pages refuses deep elements by the second
        return None


def functions_of_core() -> Iterator[tuple[str, Any]]:
    """Every public function, method and constructor that a module of core has, or `validity`, by `module.name`."""
    for info in pkgutil.walk_packages(seed_assets.core.__path__, "seed_assets.core."):
        # Processes and pipes; and names for what other modules compute.
        short = info.name.rpartition(".")[2]
        if not info.ispkg and not short.startswith("parser_") and short != "text_tasks":
            yield from _functions_of(info.name, short)
    yield from _functions_of(validity.__name__, "validity")


def _functions_of(name: str, short: str) -> Iterator[tuple[str, Any]]:
    module = importlib.import_module(name)
    for name, found in vars(module).items():
        if getattr(found, "__module__", "") != module.__name__ or name.startswith("_"):
            continue
        if inspect.isfunction(found):
            yield f"{short}.{name}", found
        elif inspect.isclass(found):
            for method, function in vars(found).items():
                function = getattr(function, "__func__", function)
                if inspect.isfunction(function) and (method == "__init__" or not method.startswith("_")):
                    yield f"{short}.{name}.{method}", function


def taking_text() -> dict[str, Callable[[str], object] | None]:
    """How each function that takes text is called with one; None for those that CALLS lacks."""
    found: dict[str, Callable[[str], object] | None] = {}
    for name, function in functions_of_core():
        parameters = [p for p in inspect.signature(function).parameters.values() if p.name not in ("self", "cls")]
        textual = [p for p in parameters if _TEXTUAL.search(inspect.formatannotation(p.annotation))]
        if not textual or name in NO_TEXT:
            continue
        required = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
        if name in CALLS:
            found[name] = CALLS[name]
        elif len(required) == 1 and required[0].annotation is str and not inspect.iscoroutinefunction(function):
            found[name] = _direct(name, function)
        elif len(required) == 1 and required[0].annotation is bytes:
            found[name] = lambda text, function=function: function(text.encode())
        else:
            found[name] = None
    return {**found, **{name: call for name, call in CALLS.items() if "." not in name or name.startswith("resources")}}


def _direct(name: str, function: Callable[..., Any]) -> Callable[[str], object]:
    def call(text: str) -> object:
        made = _owner(name)(text) if name.endswith("__init__") else function(text)
        return list(made) if inspect.isgenerator(made) else made

    return lambda text: _unless_refused(call, text)


def _owner(name: str) -> Any:
    short, owner, _ = name.split(".")
    found = pkgutil.walk_packages(seed_assets.core.__path__, "seed_assets.core.")
    module = next(info.name for info in found if not info.ispkg and info.name.endswith(f".{short}"))
    return getattr(importlib.import_module(module), owner)


def text_of(alphabet: str, size: int) -> str:
    """So many characters of it."""
    return (alphabet * (size // len(alphabet) + 1))[:size]


def seconds(call: Callable[[str], object], text: str) -> float:
    """Processor time of one call."""
    gc.disable()
    started = time.process_time()
    try:
        call(text)
        return time.process_time() - started
    finally:
        gc.enable()


def growth(call: Callable[[str], object], alphabet: str, first: int, last: int, doublings: int = 1) -> str:
    """What is wrong with the growth of a call's time from `first` to `last` characters; "" where no doubling takes more than
    2.6 times as long. doublings: so many are made in one step. What is too slow is measured again: a process may be disturbed.
    A shorter text is measured only where the longer one takes long enough to be compared.
    """
    size, step = first, 2**doublings
    before: float | None = None
    while size < last:
        shorter, size = size, size * step
        now = seconds(call, text_of(alphabet, size))
        if now < _NOT_MEASURED_SECONDS:
            before = now
            continue
        before = seconds(call, text_of(alphabet, shorter)) if before is None else before
        for _ in range(_TRIES):
            if now < _NOT_MEASURED_SECONDS or now <= _MOST_GROWTH**doublings * before:
                break
            now = min(now, seconds(call, text_of(alphabet, size)))
            before = max(before, seconds(call, text_of(alphabet, shorter)))
        else:
            return f"{size:,} characters of {alphabet!r}: {now:.3f} s, after {before:.3f} s for {shorter:,}"
        before = now
    return ""


def main() -> None:
    """Measure all, or those whose name has one of the words given."""
    wrong = 0
    for name, call in taking_text().items():
        if call is None:
            print(f"{name} takes text, and CALLS does not say how it is called")
            wrong += 1
            continue
        if len(sys.argv) > 1 and not any(word in name for word in sys.argv[1:]):
            continue
        started = time.process_time()
        found = [
            problem
            for alphabet in ALPHABETS
            if (problem := growth(call, alphabet, max(64 * 1024, STARTS.get(name, 0)), 1024 * 1024, 2))
        ]
        print(f"{name}: {time.process_time() - started:.1f} s", *found, sep="\n    ", flush=True)
        wrong += len(found)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
