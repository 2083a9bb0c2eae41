"""The stages of an extraction: what was found, its judgement if there is one, and the rows of its table.

What belongs here: the stages that a declaration becomes. What does not: the choice of the model (wiring), asking it
(core.extractions), and the columns (extraction_tables).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from io_managers.store.fingerprint import Part
from resources.tables.table_spec import TableSpec
from resources.wording import counted
from seed_assets.core.extractions.declarations import Declaration
from seed_assets.core.extractions.extraction import Extraction, Extractor
from seed_assets.core.judging.judging import Judge
from seed_assets.core.judging.revision import NoReviser, judged
from seed_assets.core.judging.verdicts import Judgement, SourceText
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.text.chunking import Chunks
from seed_assets.graph.declared_checks import Finding, PublishedResults, StageCheck
from seed_assets.graph.stage import Stage, sink_stage, value_stage
from seed_assets.memo.reuse import Reuse
from seed_assets.stages.documents.judgements import claims_of
from seed_assets.stages.documents.judgements import preview as judgement_preview
from seed_assets.stages.extractions.extraction_tables import rows_of, table_of_extraction

EXTRACTION, COLUMNS = "extraction", "columns"
"""The names of what the stages use: the extractor, and the columns of the table."""
_TEXT, _CHUNKS = "extracted_text", "chunks"


class TableColumns:
    """The columns of a sink's table. They are in its key: the table follows the fields, even if nothing new is found."""

    def __init__(self, sink: Stage) -> None:
        self._spec = sink.table_spec

    @property
    def identity(self) -> Mapping[str, Part]:
        """The type of each column, and their order."""
        columns = self._spec.columns if self._spec else ()
        return {"types": {column.name: column.type for column in columns}, "order": [column.name for column in columns]}


def stages_of(declaration: Declaration) -> list[Stage]:
    """Return the stages of an extraction, in order. Raises ConfigurationError if its fields cannot be columns."""
    table = table_of_extraction(declaration)
    found = _finding_stage(declaration)
    judging = [_judging_stage(declaration)] if declaration.judge else []
    stages = [found, *judging, _sink(declaration, table, [one.name for one in judging])]
    return [replace(stage, declared_in=f"[extract.{declaration.name}]") for stage in stages]


def _finding_stage(declaration: Declaration) -> Stage:
    inputs: dict[str, Any] = {}
    if declaration.of_text:
        inputs[_TEXT] = ExtractedText
    if declaration.over_chunks:
        inputs[_CHUNKS] = Chunks
    inputs |= {name: Extraction for name, _ in declaration.given}

    async def extraction(*values: Any, extraction: Extractor, reuse: Reuse) -> Extraction:
        opened = dict(zip(inputs, values, strict=True))
        chunks = opened.get(_CHUNKS)
        return await extraction.extract(
            opened.get(_TEXT),
            chunks.chunks if chunks is not None else None,
            _given(declaration, opened),
            reuse,
        )

    shown = "the text" if declaration.of_text else "values of other extractions alone"
    extraction.__doc__ = (
        f"One partition: what the model found in one document for `[extract.{declaration.name}]`, in normal form.\n\n"
        f"The model is shown {shown}. It is asked again when that, the prompt, the fields or the model changes. A value whose "
        "quotation is not in the text is not kept. One request per document, per part of a long one, or per chunk."
    )
    declared = value_stage(
        version="1",
        preview=_preview,
        show=lambda value: {"found": _preview(value)},
        warnings=lambda value: value.warnings,
        problem=lambda value, *opened: _misplaced(value, dict(zip(inputs, opened, strict=True)).get(_TEXT)),
        checks=(_QUOTED,) if any(one.quoted for one in declaration.fields) else (),
        reuse="inputs" if declaration.by_inputs else "all",
    )(extraction)
    return replace(declared, name=declaration.name, inputs=tuple(inputs), input_types=inputs)


def _given(declaration: Declaration, opened: Mapping[str, Any]) -> dict[str, Any]:
    """The values of other extractions, without those that were not found."""
    values = {f"{name}.{part}": opened[name].rows[0].values.get(part) for name, part in declaration.given}
    return {name: value for name, value in values.items() if value is not None}


def _judging_stage(declaration: Declaration) -> Stage:
    async def judgement(text: ExtractedText, found: Extraction, *, judge: Judge, reuse: Reuse) -> Judgement:
        source = SourceText("", text.title, text.text)
        return await judged("\n\n".join(_statements(found)), (), [source], judge, NoReviser(), reuse)

    judgement.__doc__ = (
        f"One partition: the verdict on the values of `[extract.{declaration.name}]` in one document.\n\n"
        "Each value is a claim that is looked for in the document. It is judged again when the text, the values or the judge "
        "change."
    )
    declared = value_stage(version="1", preview=judgement_preview, show=lambda value: {"claims": claims_of(value)})(
        judgement
    )
    inputs = {_TEXT: ExtractedText, declaration.name: Extraction}
    return replace(declared, name=f"{declaration.name}_judgements", inputs=tuple(inputs), input_types=inputs)


def _sink(declaration: Declaration, table: TableSpec, judging: list[str]) -> Stage:
    def rows(
        document_id: str,
        content_digest: str,
        found: Extraction,
        judgement: Judgement | None = None,
        *,
        columns: Any = None,
    ) -> list[dict[str, Any]]:
        return rows_of(declaration, document_id, content_digest, found, judgement)

    rows.__doc__ = (
        f"One partition: the rows of one document in the table `{declaration.table}` of `[extract.{declaration.name}]`.\n\n"
        "They are written again when what was found or its judgement changes, for all documents of a run in one commit."
    )
    inputs = {declaration.name: Extraction, **dict.fromkeys(judging, Judgement)}
    declared = sink_stage(version="1", table=table, every_unit=not declaration.many)(rows)
    return replace(declared, name=f"lance_{declaration.table}", inputs=tuple(inputs), input_types=inputs)


def _preview(value: Extraction) -> str:
    if len(value.rows) == 1:
        return "; ".join(_statements(value)) or "nothing found"
    return "; ".join((counted(len(value.rows), "row"), *_statements(value)))


def _statements(value: Extraction) -> Iterator[str]:
    """A statement for each value that was found."""
    for row in value.rows:
        for name, found in row.values.items():
            for item in found if isinstance(found, list) else [found]:
                said = ", ".join(f"{part} {one}" for part, one in item.items()) if isinstance(item, dict) else item
                yield f"{name}: {said}"


def _misplaced(value: Extraction, text: ExtractedText | None) -> str:
    """The problem with the quotations of a text; "" if each is what stands at its place."""
    quotes = [(name, quote) for row in value.rows for name, found in row.quotes.items() for quote in found]
    for name, quote in quotes:
        if text is None or text.text[quote.start : quote.end] != quote.text or not quote.text:
            return (
                f"where `{name}` is said to be quoted from, {quote.start} to {quote.end}, the text has something else"
            )
    return ""


def _quoted(published: PublishedResults) -> Finding:
    """Every quotation of a value must be what the document's text has at the recorded place."""
    finding = Finding()
    for unit, value, text in published.values_with(_TEXT, finding):
        if problem := _misplaced(value, text):
            finding.offenders[unit] = problem
    return finding


_QUOTED = StageCheck("quotations_stand_in_text", "error", _quoted)
