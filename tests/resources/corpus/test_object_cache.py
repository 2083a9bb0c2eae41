"""The cache of downloaded objects, on disks that refuse. What it saves is tested with the corpus (test_bucket_corpus)."""

from pathlib import Path

import pytest

from io_managers.store.fingerprint import content_digest
from resources.corpus.buckets.object_cache import ObjectCache

DATA = b"the bytes of an object"


def kept(folder: Path) -> ObjectCache:
    cache = ObjectCache(folder, most_bytes=1 << 20, least_free_bytes=0)
    written = cache.new_file()
    written.write(memoryview(DATA))
    cache.keep(written, content_digest(DATA))
    assert cache.get(content_digest(DATA), len(DATA)) == DATA
    return cache


def test_a_damaged_file_that_cannot_be_removed_costs_a_download_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = kept(tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(DATA[::-1])

    def refused(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        assert cache.get(content_digest(DATA), len(DATA)) is None
    assert file.exists()
    assert cache.get(content_digest(DATA), len(DATA)) is None
    assert not file.exists()
