"""Inputs that fuzzing has kept: each is read without any other error than those that its reader may raise."""

from pathlib import Path

import pytest

from io_managers.sharing.segments.segment import decode_segment
from io_managers.sharing.segments.signatures import Trust
from io_managers.store.errors import SegmentError
from tests.support.fuzzing import KEPT, TARGETS

INPUTS = sorted(path for path in KEPT.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", INPUTS, ids=[f"{path.parent.name}/{path.name}" for path in INPUTS])
@pytest.mark.slow
def test_an_input_is_read_or_refused(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


def test_every_target_has_inputs() -> None:
    """Guards against a folder that is not found, and so against no test at all."""
    assert {path.parent.name for path in INPUTS} == set(TARGETS)


def test_a_segment_with_a_text_that_is_no_text_is_refused_by_name() -> None:
    """The error of the decoder is not one of its own then, so a changed segment would have ended the command."""
    with pytest.raises(SegmentError, match=r"cannot be read|damaged"):
        decode_segment((KEPT / "segments" / "text-that-is-not-utf-8").read_bytes(), Trust(unsigned=True))
