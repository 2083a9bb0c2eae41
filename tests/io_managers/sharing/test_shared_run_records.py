"""The records of runs: what is signed is believed, and nothing else is."""

import pytest

from io_managers.sharing.run_records import RunRecord, decode_record, encode_record
from io_managers.sharing.segments.signatures import SigningKey, Trust
from io_managers.store.errors import SegmentError
from io_managers.store.failures import FailureRecord
from io_managers.store.refs import Ref

KEY = SigningKey.parse("secret:" + "07" * 32)
OTHER = SigningKey.parse("secret:" + "08" * 32)
RECORD = RunRecord(
    [Ref("summaries", "a.md", "ab" * 32, "sha256:" + "cd" * 32, "run-1")],
    [FailureRecord("ef" * 32, "concepts", "b.md", "it is broken.", "Mend it.", False, 12.5, "settings")],
)


def test_a_record_arrives_as_it_was() -> None:
    assert decode_record(encode_record(RECORD, KEY), Trust([KEY.public])) == RECORD
    assert decode_record(encode_record(RECORD, None), Trust(unsigned=True)) == RECORD


@pytest.mark.parametrize("signer", [OTHER, None], ids=["another", "nobody"])
def test_what_is_not_signed_by_a_trusted_key_is_refused(signer: SigningKey | None) -> None:
    """Otherwise anybody who can write to the bucket could make documents fail."""
    with pytest.raises(SegmentError, match="signed"):
        decode_record(encode_record(RECORD, signer), Trust([KEY.public]))


def test_a_record_with_any_byte_changed_is_refused() -> None:
    """A bucket may be damaged, or an upload cut off."""
    data = encode_record(RECORD, KEY)
    for place in range(len(data)):
        with pytest.raises(SegmentError):
            decode_record(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], Trust([KEY.public]))
        with pytest.raises(SegmentError):
            decode_record(data[:place], Trust([KEY.public]))
