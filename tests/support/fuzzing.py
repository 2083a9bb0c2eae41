"""What is fuzzed: functions that read bytes from outside, each with the errors that it may raise.

`python -m tests.support.fuzzing TARGET --seconds 60` looks for inputs with atheris, which has to be installed beside the packages
of the project, and keeps what it finds in tests/fuzzed/TARGET. The test of fuzzed inputs reads each of these again, without it.
"""

import argparse
import contextlib
import importlib
import io
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from answering.answers import Reply
from answering.passages import Retrieved
from io_managers.sharing.buckets.folder_bucket import FolderBucket
from io_managers.sharing.editions.edition import decode_edition, edition_name, encode_edition, sized_pieces
from io_managers.sharing.segments.segment import decode_segment, rows_of, segment_name
from io_managers.sharing.segments.signatures import Trust
from io_managers.store.codecs.codecs import decode
from io_managers.store.codecs.stored_bytes import expand, shrink
from io_managers.store.errors import RemoteError, SegmentError, UnknownFormatError
from io_managers.store.reserve_file import ReserveFile
from io_managers.store.retention.mentions import Mentions
from resources.corpus import corpus_index
from resources.errors import DocumentError
from resources.tables.lance_files import needed_files
from seed_assets.core.clusters.clusters import Clustering
from seed_assets.core.reading.extraction import extract

KEPT = Path(__file__).resolve().parents[1] / "fuzzed"
_FORMATS = (
    "text",
    "markdown",
    "html",
    "csv",
    "json",
    "mail",
    "rtf",
    "subtitles",
    "latex",
    "notebook",
    "org",
    "mhtml",
    "docx",
    "xlsx",
)


def _codecs(data: bytes) -> None:
    for expected in (Clustering, Retrieved, Reply, dict[str, list[float]]):
        with contextlib.suppress(UnknownFormatError):
            decode(data, expected)


def _values(data: bytes) -> None:
    stored, compressed = shrink(data)
    assert expand(stored, len(data), compressed) == data
    expand(data, len(data) * 3, compressed=True)


def _segments(data: bytes) -> None:
    with contextlib.suppress(SegmentError):
        segment_name(data)
        for block in decode_segment(data, Trust(unsigned=True)).blocks:
            rows_of(block)


def _editions(data: bytes) -> None:
    place = Path("/somewhere")
    with contextlib.suppress(SegmentError):
        edition = decode_edition(data, edition_name(1), Trust(unsigned=True))
        for file in edition.files:
            assert os.path.normpath(place / file.path) == str(place / file.path)
            assert sum(size for _, size in sized_pieces(file)) == file.size_bytes
        assert decode_edition(encode_edition(edition, None), edition_name(1), Trust(unsigned=True)) == edition


def _manifests(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        versions = Path(folder) / "_versions"
        versions.mkdir()
        (versions / "1.manifest").write_bytes(data)
        assert needed_files(Path(folder)) == [versions / "1.manifest"]


def _reserve(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reserve"
        path.write_bytes(data)
        with contextlib.suppress(OSError):
            file = ReserveFile(path)
            if file.holds_records():
                with file.taking_out(remove=False) as payloads:
                    assert all(isinstance(one, bytes) for one in payloads)
            file.close()


def _index(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.index"
        path.write_bytes(data)
        corpus_index.load(path)


def _names(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bucket, name = FolderBucket(Path(folder) / "remote"), data.decode("utf-8", "surrogateescape")
        (Path(folder) / "remote").mkdir()
        with contextlib.suppress(RemoteError, ValueError):
            bucket.put_first(name, b"x")
        assert not [path for path in Path(folder).iterdir() if path.name != "remote"]


def _mentions(data: bytes) -> None:
    name, _, text = data.partition(b"\n")
    if named := name.decode("utf-8", "replace").strip():
        mentions = Mentions([named])
        shown = text.decode("utf-8", "replace")
        mentions.in_bytes(text)
        assert not mentions.in_text(mentions.without(shown, " ")) or named in (" ", "")


def _readers(data: bytes) -> None:
    for format in _FORMATS:
        with contextlib.suppress(DocumentError):
            extract(data, format)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "codecs": _codecs,
    "values": _values,
    "segments": _segments,
    "editions": _editions,
    "manifests": _manifests,
    "reserve": _reserve,
    "index": _index,
    "names": _names,
    "mentions": _mentions,
    "readers": _readers,
}


def main() -> None:
    """Fuzz one target for some time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    atheris: Any = importlib.import_module("atheris")  # only for those who fuzz

    # Instrumenting everything that is imported takes minutes; the target itself leads far enough.
    target = atheris.instrument_func(TARGETS[given.target])
    folder = KEPT / given.target
    folder.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={given.seconds}", "-timeout=20", "-rss_limit_mb=2048", f"-artifact_prefix={folder}/"]

    def run(data: bytes) -> None:
        with contextlib.redirect_stderr(io.StringIO()):
            target(data)

    atheris.Setup([sys.argv[0], *options, str(folder)], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
