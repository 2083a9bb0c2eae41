"""What a segment holds, who vouches for it, and that nothing of a wrong one is used."""

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from io_managers.sharing.segments import segment as segments
from io_managers.sharing.segments.segment import (
    SharedAction,
    decode_segment,
    encode_segment,
    rows_of,
    segment_name,
)
from io_managers.sharing.segments.signatures import SigningKey, Trust, parse_public, public_text
from io_managers.store.errors import SegmentError

KEY = SigningKey.parse("secret:" + "07" * 32)
OTHER = SigningKey.parse("secret:" + "08" * 32)
TRUST = Trust([KEY.public])


def shared(number: int, stage: str = "summaries", **more: Any) -> SharedAction:
    """An action that differs from those of other numbers."""
    name = hashlib.sha256(b"%d" % number).hexdigest()
    row = SharedAction(stage, name, f"sha256:{name}", number, "builtins:str", "{}", "{}", 1000.0 + number)
    return msgspec.structs.replace(row, **more)


def test_actions_come_back_as_they_were_sorted_by_stage_and_key() -> None:
    rows = [shared(n, stage) for n in range(700) for stage in ("b", "a")]
    segment = decode_segment(encode_segment(rows, KEY), TRUST)
    found = [row for block in segment.blocks for row in rows_of(block)]
    assert found == sorted(rows, key=lambda row: (row.stage, row.key))
    assert segment.rows == len(rows)


def test_equal_actions_give_the_same_file() -> None:
    """Two processes that push the same must not leave two files."""
    rows = [shared(n) for n in range(10)]
    assert encode_segment(rows, KEY) == encode_segment(reversed(rows), KEY)


def test_the_format_does_not_change_by_accident() -> None:
    """A change of the format has to raise VERSION, or other hosts would refuse what is pushed as damaged."""
    data = encode_segment([], KEY, {"ab" * 32: 5.0})
    assert data.startswith(b"seedbank segment 1\n")
    assert (
        segment_name(data)
        == "segments/ea4a6c63e29c520a/59c6f50aec93d308110962c02b08d0e0c86a2eefde0dd9360450948e35485680"
    )
    assert decode_segment(data, TRUST).erased == {"ab" * 32: 5.0}


@given(st.data())
def test_a_segment_that_was_changed_or_cut_off_anywhere_is_refused(data: st.DataObject) -> None:
    whole = encode_segment([shared(n) for n in range(20)], KEY)
    place = data.draw(st.integers(0, len(whole) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]
    for wrong in (changed, whole[:place], whole + b"\0"):
        with pytest.raises(SegmentError):
            decode_segment(wrong, TRUST)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_without_another_error(data: bytes) -> None:
    for wrong in (data, b"seedbank segment 1\n" + data):
        with pytest.raises(SegmentError):
            decode_segment(wrong, Trust(unsigned=True))


@given(st.binary(max_size=300))
def test_any_block_is_refused_without_another_error(data: bytes) -> None:
    with pytest.raises(SegmentError):
        rows_of(segments.Block(1, data))


def test_a_newer_version_is_named() -> None:
    data = encode_segment([shared(1)], KEY).replace(b"segment 1\n", b"segment 2\n")
    with pytest.raises(SegmentError, match=r"version is 2.*Update Seedbank"):
        decode_segment(data, TRUST)


def test_a_segment_of_a_stranger_is_refused_by_name() -> None:
    """Whoever can write to the bucket could file any value under any key."""
    with pytest.raises(SegmentError, match=public_text(OTHER.public)):
        decode_segment(encode_segment([shared(1)], OTHER), TRUST)


def test_a_signature_of_other_content_is_refused() -> None:
    mine, theirs = (encode_segment([shared(n)], KEY) for n in (1, 2))
    line = len(b"seedbank segment 1\n")
    payload, *_ = msgspec.msgpack.decode(theirs[line:])
    _, *signed = msgspec.msgpack.decode(mine[line:])
    with pytest.raises(SegmentError, match="signature is wrong"):
        decode_segment(theirs[:line] + msgspec.msgpack.encode([payload, *signed]), TRUST)


def test_without_a_signature_it_is_taken_only_if_that_is_accepted() -> None:
    data = encode_segment([shared(1)], None)
    assert decode_segment(data, Trust(unsigned=True)).rows == 1
    with pytest.raises(SegmentError, match="not signed"):
        decode_segment(data, TRUST)


def test_a_stranger_is_not_taken_because_unsigned_ones_are() -> None:
    with pytest.raises(SegmentError, match="not trusted"):
        decode_segment(encode_segment([shared(1)], OTHER), Trust(unsigned=True))


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "AB" * 32},
        {"key": "../../etc/passwd"},
        {"content_digest": "sha256:../x"},
        {"content_digest": "md5:" + "a" * 64},
        {"size_bytes": -1},
        {"size_bytes": 1 << 50},
        {"created_at": float("nan")},
        {"created_at": 1e300},
    ],
    ids=str,
)
def test_what_no_action_can_have_is_refused_even_if_it_is_signed(wrong: dict[str, Any]) -> None:
    segment = decode_segment(encode_segment([shared(1, **wrong)], KEY), TRUST)
    with pytest.raises(SegmentError):
        rows_of(segment.blocks[0])


def test_a_block_that_would_fill_the_memory_is_not_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    block = decode_segment(encode_segment([shared(n) for n in range(256)], KEY), TRUST).blocks[0]
    monkeypatch.setattr(segments, "_LARGEST_BLOCK_BYTES", 100)
    with pytest.raises(SegmentError, match="would have"):
        rows_of(block)


def test_keys_are_read_from_their_texts_and_never_mistaken() -> None:
    """A secret key among the trusted ones would be published with the configuration."""
    key = SigningKey.generate()
    assert SigningKey.parse(key.text).public == key.public == parse_public(public_text(key.public))
    with pytest.raises(ValueError, match=r"secret key belongs in store\.signing_key") as error:
        parse_public(key.text)
    assert key.text.removeprefix("secret:") not in str(error.value)
    for wrong in ("", "public:ab", "AB" * 32, public_text(key.public)):
        with pytest.raises(ValueError, match="is written as secret:"):
            SigningKey.parse(wrong)
