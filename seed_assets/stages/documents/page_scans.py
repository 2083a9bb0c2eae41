"""Reading pages as pictures: each page is an action of its own.

What belongs here: which pages of a document are read as pictures, and the actions of these pages. What does not: reading a
picture (core.reading.ocr), and making a document of its pages (core.reading.page_texts).

The key of a page is the digest of its picture, so that only the changed pages of a document are read again, and equal pages of
different documents once. A document whose reading was interrupted goes on with the pages that are missing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from io_managers.store.fingerprint import Action
from resources.errors import DocumentError, StoppedError
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.ocr.picture_reader import PictureReader
from seed_assets.core.reading.ocr.scanned_page import PictureText, ScannedPage
from seed_assets.core.workers.parser_pool import ParserPool
from seed_assets.graph.stage import Source
from seed_assets.memo.concurrently import all_of
from seed_assets.memo.reuse import Made, Reuse

if TYPE_CHECKING:
    from seed_assets.core.reading.ocr.page_pictures import PictureDigest

# Pages whose digests a worker makes in one task, so that none takes long; and pages of one document that are read at a time.
# Each of these sends the whole file to a worker. Both were chosen by judgement.
_PAGES_PER_TASK = 16
_AT_ONCE = 4


async def read_pages(source: Source, parser: ParserPool, reader: PictureReader, reuse: Reuse) -> ExtractedText:
    """Return the text of a document with pages; those without a legible text layer are read as pictures.

    Raises what ParserPool.read raises.
    """
    rules = reader.rules
    found = await parser.read(source.data, source.format, rules)
    if isinstance(found, ExtractedText):
        return found
    pictures = await _pictures(source, found, parser, reader, reuse)
    found = await parser.read(source.data, source.format, msgspec.structs.replace(rules, pictures=dict(pictures)))
    if not isinstance(found, ExtractedText):
        raise TypeError(f"pages {found} were not asked for at first")
    return found


async def _pictures(
    source: Source, pages: Sequence[int], parser: ParserPool, reader: PictureReader, reuse: Reuse
) -> Mapping[int, PictureText]:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def digests(part: Sequence[int]) -> "list[PictureDigest]":
        async with turns:
            return await parser.run("picture_digests", source.data, source.format, list(part), reader.dpi)

    parts = [pages[start : start + _PAGES_PER_TASK] for start in range(0, len(pages), _PAGES_PER_TASK)]
    found = [picture for part in await all_of(digests(part) for part in parts) for picture in part]
    page_of = {picture.digest: page for page, picture in zip(pages, found, strict=True) if picture.digest}
    actions = {digest: reader.template.action({"picture": digest}) for digest in page_of}
    by_key = {action.key: page_of[digest] for digest, action in actions.items()}

    async def scan(missing: Sequence[Action], own: Reuse) -> list[Made]:
        scanned = [await _scanned(source, by_key[action.key], parser, reader) for action in missing]
        return [(page, page.problem or page.text) for page in scanned]

    async def in_turn(action: Action) -> ScannedPage:
        async with turns:
            if reason := reuse.costs.stop_reason():
                raise StoppedError(reason)
            (page,) = await reuse.values([action], scan)
            return page

    values = await all_of(in_turn(action) for action in actions.values())
    texts = {digest: _text_of(page, digest) for digest, page in zip(actions, values, strict=True)}
    # A page without a picture has no digest, under which it could be told from those of other documents.
    return {
        page: texts[picture.digest] if picture.digest else PictureText("", 0.0, "", problem=picture.problem)
        for page, picture in zip(pages, found, strict=True)
    }


async def _scanned(source: Source, page: int, parser: ParserPool, reader: PictureReader) -> ScannedPage:
    """Return what is read of a page. A page that fails for good is kept with its problem, so that it is not tried again."""
    try:
        return await parser.run("scan_page", source.data, source.format, page, reader.dpi, reader.languages)
    except DocumentError as error:
        if error.transient:
            raise
        return ScannedPage(problem=error.reason)


def _text_of(page: ScannedPage, picture: str) -> PictureText:
    return PictureText(
        page.text, page.confidence, picture, page.title, page.script, page.is_blank, page.problem, page.edges
    )
