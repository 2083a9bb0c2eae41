"""The stage `extracted_text`: the text and title of a file."""

from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.ocr.picture_reader import PictureReader
from seed_assets.core.workers.parser_pool import ParserPool
from seed_assets.graph.stage import Source, value_stage
from seed_assets.memo.reuse import Reuse
from seed_assets.stages.documents.checks import READ_AS_A_WHOLE, TEXT_NOT_EMPTY
from seed_assets.stages.documents.page_scans import read_pages


@value_stage(
    version="2",
    changes={
        "2": "PDF, DOCX, HTML, mails, archives and text files are read more completely; every document is read again, and only "
        "those whose text came out different are computed again after that."
    },
    preview=lambda value: "\n".join((*value.warnings, value.text)),
    checks=(TEXT_NOT_EMPTY, READ_AS_A_WHOLE),
    warnings=lambda value: value.warnings,
)
async def extracted_text(
    source: Source, *, parser: ParserPool, picture_reader: PictureReader, reuse: Reuse
) -> ExtractedText:
    """One partition: the text and the title of one document, and warnings of what could not be read.

    The formats are text, Markdown, HTML (without navigation, banners and scripts), PDF (with a text layer), DOCX, ODT, RTF,
    PPTX, ODP, XLSX, ODS, CSV, EPUB, LaTeX, AsciiDoc, Org, mails, MHTML, notebooks, JSON, subtitles, and archives of these.
    The text is extracted again when the file's bytes or its
    suffix change. A document takes some milliseconds.
    """
    if source.format not in picture_reader.formats:
        return await parser.extract(source.data, source.format)
    return await read_pages(source, parser, picture_reader, reuse)
