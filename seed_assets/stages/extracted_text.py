"""The stage `extracted_text`: what a file says."""

from seed_assets.core.extraction import ExtractedText
from seed_assets.core.parser_pool import ParserPool
from seed_assets.stage import Source, value_stage


@value_stage(version="1", preview=lambda value: value.text)
async def extracted_text(source: Source, *, parser: ParserPool) -> ExtractedText:
    """One partition: the text and the title of one document.

    Read from text, Markdown, HTML (without its navigation, banners and scripts), DOCX (with its tables) and PDF (with a
    text layer). Made again when the file's bytes or its suffix change. Costs milliseconds a document.
    """
    return await parser.extract(source.data, source.format)
