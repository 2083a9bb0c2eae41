"""Measures how many words of scans are read, and how long a page takes.

What belongs here: the measurement. What does not: thresholds (tests).

Ten scans are made of pages of known text, such as PEPs: clean, with noise, blurred, turned by 0.5 to 3 and by 90 degrees, and
in two columns, with 150 to 300 dpi. They are read as they are in a seed: as pages of a PDF. The share of words found counts
each word as often as it occurs; precision is the share of the words that were read which are in the text.

Run: python -m benchmarks.scans DIRECTORY [--json]     (a folder of text files of at least 30,000 bytes)
"""

import argparse
import io
import json
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from seed_assets.core.reading.ocr.languages import find_languages
from seed_assets.core.reading.ocr.page_tasks import scan_page

_FONTS = ("DejaVu Serif", "DejaVu Sans", "STIXGeneral")
_LINES, _COLUMN_LINES = 48, 50
# Paragraphs with these are code, markup or addresses rather than sentences.
_NO_PROSE = ("::", "`", "*", "_", "http", "|", "..", "=")


@dataclass(frozen=True, slots=True)
class Scan:
    """How a scan is made: its resolution, columns, and what is done to the page."""

    name: str
    dpi: int
    columns: int = 1
    degrees: float = 0
    noise: float = 0
    blur: float = 0


SCANS = (
    Scan("clean", 300),
    Scan("noise", 200, noise=8),
    Scan("noise, 0.7 degrees", 200, degrees=0.7, noise=12),
    Scan("-1.5 degrees", 200, degrees=-1.5),
    Scan("150 dpi, 0.5 degrees", 150, degrees=0.5),
    Scan("blur, much noise", 200, blur=1, noise=25),
    Scan("two columns", 200, columns=2),
    Scan("two columns, -0.5 degrees", 300, columns=2, degrees=-0.5),
    Scan("3 degrees", 200, degrees=3),
    Scan("90 degrees", 200, degrees=90),
)


def made(scan: Scan, text: str, font: str) -> tuple[Image.Image, str]:
    """Return (the picture of the scan, the words on it)."""
    width, count = (80, _LINES) if scan.columns == 1 else (38, 2 * _COLUMN_LINES)
    lines = list(_lines(text, width))[:count]
    size, dpi = 11 if scan.columns == 1 else 9, scan.dpi
    page = Image.new("L", (round(8.27 * dpi), round(11.69 * dpi)), 255)
    draw = ImageDraw.Draw(page)
    letters = ImageFont.truetype(font_manager.findfont(font), size * dpi / 72)
    per_column = -(-len(lines) // scan.columns)
    for number, line in enumerate(lines):
        column, row = divmod(number, per_column)
        place = ((0.9 + 3.4 * column) * dpi, 0.9 * dpi + row * size * 1.45 * dpi / 72)
        draw.text(place, line, font=letters, fill=0)
    if scan.degrees:
        page = page.rotate(scan.degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    if scan.blur:
        page = page.filter(ImageFilter.GaussianBlur(scan.blur))
    if scan.noise:
        values = np.asarray(page, dtype=float) + np.random.default_rng(0).normal(0, scan.noise, page.size[::-1])
        page = Image.fromarray(values.clip(0, 255).astype(np.uint8))
    return page, " ".join(lines)


def _lines(text: str, width: int) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        sentence = " ".join(paragraph.split())
        if len(sentence) > 150 and not any(sign in sentence for sign in _NO_PROSE):
            yield from (*textwrap.wrap(sentence, width), "")


def _pdf(page: Image.Image, dpi: int) -> bytes:
    found = io.BytesIO()
    page.save(found, "PDF", resolution=dpi, quality=90)
    return found.getvalue()


def measure(files: Sequence[Path]) -> Iterator[dict[str, object]]:
    """Return the figures of each scan. Raises ValueError if there are too few files, or no data of English."""
    languages = find_languages(["eng"])
    if len(files) < len(SCANS) or languages is None:
        raise ValueError(f"{len(SCANS)} files and the data of English are needed; there are {len(files)} files")
    for number, (scan, file) in enumerate(zip(SCANS, files[:: len(files) // len(SCANS)], strict=False)):
        page, text = made(scan, file.read_text(encoding="utf-8"), _FONTS[number % len(_FONTS)])
        data = _pdf(page, scan.dpi)
        started = time.process_time()
        read = scan_page(data, "pdf", 0, 300, languages)
        seconds = time.process_time() - started
        words, found = Counter(text.split()), Counter(read.text.split())
        right = (words & found).total()
        yield {
            "scan": scan.name,
            "words": words.total(),
            "found": round(right / words.total(), 4),
            "precision": round(right / max(1, found.total()), 4),
            "confidence": round(read.confidence, 3),
            "cpu_seconds": round(seconds, 2),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    files = sorted(path for path in options.directory.iterdir() if path.is_file() and path.stat().st_size > 30_000)
    rows = list(measure(files))
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print("  ".join(f"{value}" for value in row.values()))
    found = [float(str(row["found"])) for row in rows]
    print(f"mean {sum(found) / len(found):.4f}, worst {min(found):.4f}")


if __name__ == "__main__":
    main()
