"""Files that are written whole: whatever interrupts the writing, the old content or the new one is there, and no rest."""

import os
from pathlib import Path

import pytest

from io_managers.store import whole_files
from io_managers.store.whole_files import write_whole


def test_a_file_is_made_with_its_directories_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.json"
    write_whole(path, "first")
    write_whole(path, "zweitens: ü".encode())
    assert path.read_text(encoding="utf-8") == "zweitens: ü"
    assert os.listdir(path.parent) == ["file.json"]


@pytest.mark.parametrize("step", ["_flush", "replace"])
def test_what_fails_on_the_way_leaves_the_old_content_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((whole_files, "_flush") if step == "_flush" else (os, "replace")), fail)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_the_content_is_flushed_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a loss of power a name must not lead to a file whose content never arrived."""
    steps: list[str] = []
    flush, replace = whole_files._flush, os.replace
    monkeypatch.setattr(whole_files, "_flush", lambda file: (steps.append("content"), flush(file)))
    monkeypatch.setattr(os, "replace", lambda *names: (steps.append("name"), replace(*names)))
    monkeypatch.setattr(whole_files, "flush_directory", lambda _: steps.append("directory"))
    write_whole(tmp_path / "file", b"content")
    assert steps == ["content", "name", "directory"]
