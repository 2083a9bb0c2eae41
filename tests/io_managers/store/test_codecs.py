"""Values come back as they were, and equal values have one digest."""

import contextlib
import dataclasses
import datetime
import enum
import hashlib
import itertools
import math
import subprocess
import sys
import types
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, RootModel

from io_managers.store.codecs import codecs
from io_managers.store.codecs.codecs import decode, encode
from io_managers.store.errors import UnencodableError, UnknownFormatError


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    start: int
    words: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    _private: int = 0


class Chunk(msgspec.Struct, frozen=True):
    text: str
    spans: list[Span] = []
    weights: dict[str, float] = {}


class Mood(enum.Enum):
    GLAD = "glad"


class Verdict(BaseModel):
    score: float = 0.0
    because: set[str] = set()
    by_name: dict[str, int] = {}
    when: datetime.datetime | None = None
    label: str = Field(default="", alias="Label")
    inner: "Verdict | None" = None


class Titles(RootModel[list[str]]):
    pass


class Animal(BaseModel):
    name: str


class Dog(Animal):
    tricks: int


class Kennel(BaseModel):
    first: Animal


def round_trip(value: Any, expected: Any = Any) -> Any:
    encoded = encode(value)
    return decode(encoded.data, expected, encoded.type_name)


@pytest.mark.parametrize(
    ("value", "expected"), [("text", str | None), (b"a", bytes | None), (b"a", bytearray), ("a", Literal["a"])], ids=str
)
def test_text_and_bytes_come_back_as_what_the_reader_declares(value, expected):
    assert round_trip(value, expected) == value


def the_bytes(value: object) -> bytes:
    return encode(value).data


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False) | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.slow
@given(plain)
def test_plain_data_comes_back_equal_and_of_the_same_type(value):
    again = round_trip(value)
    assert again == value
    assert type(again) is type(value)


spans = st.builds(Span, st.integers(0, 99), st.lists(st.text()).map(tuple), st.frozensets(st.text()), st.integers(0, 9))


@pytest.mark.slow
@given(st.builds(Chunk, st.text(), st.lists(spans), st.dictionaries(st.text(), st.floats(allow_nan=False))))
def test_structs_and_dataclasses_come_back_equal(chunk):
    assert round_trip(chunk) == chunk
    assert round_trip(chunk, Chunk) == chunk


verdicts = st.builds(
    Verdict,
    score=st.floats(),
    because=st.sets(st.text()),
    by_name=st.dictionaries(st.text(), st.integers()),
    when=st.none() | st.datetimes(timezones=st.just(datetime.UTC)),
    Label=st.text(),
)


@pytest.mark.slow
@given(verdicts)
def test_pydantic_models_come_back_with_aliases_sets_and_numbers_that_json_has_not(verdict):
    outer = Verdict(Label="outer", inner=verdict)
    again = round_trip(outer)
    assert type(again) is Verdict
    assert again == outer or math.isnan(verdict.score)
    assert again.inner is not None
    assert math.isnan(again.inner.score) == math.isnan(verdict.score)
    assert the_bytes(again) == the_bytes(outer)


def test_lists_and_mappings_of_models_come_back_as_the_type_that_the_reader_gives():
    assert round_trip([Animal(name="a")], list[Animal]) == [Animal(name="a")]
    assert round_trip({"x": Dog(name="a", tricks=2)}, dict[str, Dog]) == {"x": Dog(name="a", tricks=2)}
    assert round_trip(Titles(["b", "a"])) == Titles(["b", "a"])


@pytest.mark.parametrize(
    "value",
    ["", "é\0", b"", b"\0\n", None, True, 0, -1.5, [], {}, Mood.GLAD, {1, 2}, (1, "a"), frozenset({3, 1})],
    ids=repr,
)
def test_single_values_come_back_exactly(value):
    assert round_trip(value) == value
    assert type(round_trip(value)) is type(value)


@pytest.mark.parametrize("value", [OrderedDict(b=1, a=2), Counter("aab")], ids=repr)
def test_a_kind_of_dict_comes_back_as_a_dict_equal_to_it(value):
    assert round_trip(value) == value


@pytest.mark.parametrize(
    "array",
    [
        np.array(1.5),
        np.zeros((0, 3)),
        np.arange(12).reshape(3, 4)[:, ::2],
        np.asfortranarray(np.arange(6, dtype=np.float16).reshape(2, 3)),
        np.array([1, -2], dtype=">i4"),
        np.array([[True], [False]]),
        np.array([np.nan, np.inf, -0.0], dtype=np.float32),
        np.array([255], dtype=np.uint8),
    ],
    ids=lambda array: f"{array.dtype.str}{array.shape}",
)
def test_arrays_come_back_whatever_their_memory_looks_like(array):
    again = round_trip(array)
    np.testing.assert_array_equal(again, array)
    assert again.shape == array.shape
    assert again.dtype == array.dtype.newbyteorder("=")
    assert the_bytes(array) == the_bytes(np.array(array, dtype=array.dtype.newbyteorder("="), order="C"))


def test_a_mapped_array_is_the_array(tmp_path: Path):
    mapped = np.memmap(tmp_path / "array", dtype=np.int16, mode="w+", shape=(4,))
    mapped[:] = range(4)
    assert the_bytes(mapped) == the_bytes(np.arange(4, dtype=np.int16))


def test_mappings_of_arrays_come_back_and_their_order_decides_nothing():
    arrays = {"b": np.arange(3), "a": np.zeros((2, 2), dtype=np.float16)}
    again = round_trip(arrays)
    assert set(again) == {"a", "b"}
    np.testing.assert_array_equal(again["b"], arrays["b"])
    assert the_bytes(arrays) == the_bytes(dict(reversed(arrays.items())))


SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("flag", pa.bool_()),
        ("number", pa.int64()),
        ("vector", pa.list_(pa.float32(), 2)),
        ("names", pa.list_(pa.string())),
        ("pair", pa.struct([("x", pa.int8())])),
    ]
)
rows = st.fixed_dictionaries(
    {
        "text": st.none() | st.text(max_size=5),
        "flag": st.none() | st.booleans(),
        "number": st.none() | st.integers(-5, 5),
        "vector": st.none() | st.lists(st.floats(width=32, allow_nan=False), min_size=2, max_size=2),
        "names": st.none() | st.lists(st.none() | st.text(max_size=3), max_size=3),
        "pair": st.none() | st.fixed_dictionaries({"x": st.none() | st.integers(-5, 5)}),
    }
)


@pytest.mark.slow
@given(st.lists(rows, max_size=20), st.lists(st.integers(0, 20), max_size=3), st.integers(0, 3))
def test_how_a_table_is_chunked_or_sliced_decides_nothing(table_rows, cuts, before):
    table = pa.Table.from_pylist(table_rows, schema=SCHEMA)
    edges = sorted({0, len(table), *(cut for cut in cuts if cut < len(table))})
    pieces = [table.slice(start, end - start) for start, end in itertools.pairwise(edges)]
    chunked = pa.concat_tables(pieces) if pieces else pa.Table.from_batches([], SCHEMA)
    padded = pa.Table.from_pylist(table_rows[:before] + table_rows, schema=SCHEMA).slice(len(table_rows[:before]))
    assert round_trip(table).equals(table)
    assert the_bytes(chunked) == the_bytes(table)
    assert the_bytes(padded) == the_bytes(table)


def test_what_stands_under_a_null_decides_nothing():
    valid, one, other = pa.py_buffer(b"\x01"), bytes(16), bytes(8) + b"\x07" * 8
    tables = [
        pa.table({"a": pa.Array.from_buffers(pa.int64(), 2, [valid, pa.py_buffer(data)])}) for data in (one, other)
    ]
    assert tables[0].equals(tables[1])
    assert the_bytes(tables[0]) == the_bytes(tables[1])


def test_tables_with_dictionaries_and_without_rows_or_columns_come_back():
    words = pa.chunked_array([pa.array(part).dictionary_encode() for part in (["x", "y"], ["z", "y"])])
    assert round_trip(pa.table({"word": words})).column("word").to_pylist() == ["x", "y", "z", "y"]
    assert round_trip(pa.table({})).equals(pa.table({}))
    assert round_trip(pa.table({"view": pa.array(["a", None], pa.string_view())})).num_rows == 2
    assert the_bytes(pa.Table.from_batches([], SCHEMA)) == the_bytes(pa.Table.from_pylist([], schema=SCHEMA))
    batch = pa.record_batch({"a": [1, 2]})
    assert round_trip(batch).equals(pa.Table.from_batches([batch]))


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        pd.DataFrame({"a": [1.5, math.nan]}, index=pd.Index(["p", "q"], name="key")),
        pd.DataFrame({"a": pd.Categorical(["x", "y", "x"], categories=["z", "y", "x"], ordered=True)}),
        pd.DataFrame({"when": pd.to_datetime(["2024-01-01", None]).tz_localize("Europe/Zurich")}),
        pd.DataFrame({"a": [1, 2, 3, 4]}).iloc[1:4:2],
        pd.DataFrame({("x", 1): [1], ("x", 2): [2]}),
        pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "t": pd.to_timedelta([1, 2], unit="s")}),
        pd.DataFrame(np.arange(6).reshape(2, 3), index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
        pd.DataFrame(),
    ],
    ids=range(9),
)
def test_frames_come_back_with_index_types_and_missing_values(frame):
    pd.testing.assert_frame_equal(round_trip(frame), frame)
    assert the_bytes(frame) == the_bytes(frame.copy(deep=True))


def test_which_releases_wrote_a_frame_does_not_decide_its_digest(monkeypatch):
    frame = pd.DataFrame({"a": [1]})
    before = the_bytes(frame)
    monkeypatch.setattr(pd, "__version__", "99.0")
    assert the_bytes(frame) == before


@pytest.mark.parametrize(
    "value",
    [
        "a\udc80",
        1 << 64,
        1j,
        object(),
        {1: "a"},
        {("a", 1): 2},
        [np.zeros(2)],
        np.array(["a"]),
        np.array([object()]),
        np.array([1j]),
        np.array([(1, 2)], dtype="i4,i4"),
        np.zeros(2, dtype=np.longdouble),
        np.ma.masked_array([1, 2], mask=[True, False]),
        {"": np.zeros(1)},
        {"__metadata__": np.zeros(1)},
        {1: np.zeros(1)},
        pd.DataFrame({"a": [1, "x"]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        Kennel(first=Dog(name="a", tricks=2)),
        {"when": Dog(name="a", tricks=2), "what": object()},
        (line for line in "ab"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_no_codec_keeps_exactly_is_refused_by_name(value):
    with pytest.raises(UnencodableError):
        encode(value)


def test_a_value_that_holds_itself_is_refused():
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(UnencodableError, match="contains itself"):
        encode(endless)


def test_a_model_that_cannot_be_read_back_is_refused_when_it_is_made():
    """Not weeks later, when the answer that was paid for is needed."""

    class Secretive(BaseModel):
        model_config = ConfigDict(extra="forbid")
        needed: int = Field(exclude=True)

    with pytest.raises(UnencodableError, match="read back"):
        encode(Secretive(needed=1))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        b"seedbank text 1",
        b"seedbank text\n",
        b"seedbank text 1 1\n",
        b"seedbank text 2\n",
        b"seedbank text 0\n",
        b"seedbank text -1\n",
        "seedbank text ²\n".encode(),
        b"seedbank pickle 1\n\x80\x04N.",
        b"seedbank text 1\n\xff",
        b"seedbank msgpack 1\n\xc1",
        b"seedbank msgpack 1\n",
        b"seedbank json 1\n{",
        b"seedbank safetensors 1\nxxxx",
        b"seedbank safetensors 1\n\xff\xff\xff\xff\xff\xff\xff\x7f{}",
        b"seedbank arrow 1\nxx",
        b"seedbank arrow 1\n",
        b"seedbank pandas 1\nxxxxxxxxxxxx",
        b"\x80\x04N.",
    ],
)
def test_bytes_that_this_version_cannot_read_are_an_unknown_format(data):
    with pytest.raises(UnknownFormatError):
        decode(data)


@pytest.mark.slow
@given(st.sampled_from(["text", "msgpack", "json", "safetensors", "arrow", "pandas", "bytes"]), st.binary(max_size=60))
def test_garbage_behind_a_good_header_is_an_unknown_format_or_a_value(codec, payload):
    with contextlib.suppress(UnknownFormatError):
        decode(b"seedbank %s 1\n%s" % (codec.encode(), payload))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("text", Chunk), (b"bytes", str), ("text", bytes), (Chunk("a"), Span), (Animal(name="a"), Dog), ([1], list[str])],
    ids=str,
)
def test_a_value_of_another_shape_than_the_reader_asks_for_is_an_unknown_format(value, expected):
    with pytest.raises(UnknownFormatError):
        decode(encode(value).data, expected)


@pytest.mark.parametrize("type_name", ["colorsys:Thing", "colorsys:rgb_to_hsv", "os:system", "nowhere:x", "os:"])
def test_reading_imports_no_module_and_calls_nothing(type_name):
    sys.modules.pop("colorsys", None)
    for codec in ("msgpack", "json"):
        with pytest.raises(UnknownFormatError, match="not loaded"):
            decode(b"seedbank %s 1\n1" % codec.encode(), Any, type_name)
    assert "colorsys" not in sys.modules


VALUES: dict[str, object] = {
    "text": "né",
    "bytes": b"\0\n",
    "plain": {"b": [1, None, True], "a": {"y": 1.5, "x": "é"}},
    "dataclass": Span(1, ("a",), frozenset(["x", "longer", "other"])),
    "struct": Chunk("t", [Span(2)], {"b": 1.0, "a": 2.0}),
    "model": Verdict(because={"one", "two", "three", "four"}, by_name={"b": 1, "a": 2}, Label="x"),
    "models": {"b": [Animal(name="é")], "a": {"one", "two", "three"}},
    "array": np.arange(4, dtype=np.float32).reshape(2, 2),
    "arrays": {"b": np.array([True]), "a": np.array(3, dtype=np.int16)},
    "table": pa.table({"a": [1, None], "b": ["x", "y"]}),
    "frame": pd.DataFrame({"a": [1, 2]}, index=pd.Index(["p", "q"], name="key")),
}
GOLDEN = {
    "text": "2b7c2e07f2dbbd05",
    "bytes": "758215236dd6573e",
    "plain": "05bf65ddc8c5088b",
    "dataclass": "245e864dffedaf68",
    "struct": "d3fc41830198dc6a",
    "model": "1ed5a9b7a7c05823",
    "models": "7fcfe11e2334a0bc",
    "array": "7ee68fcaa5e07137",
    "arrays": "a6f661164a15ff2b",
    "table": "0385a6e8a1c9b581",
    "frame": "158bcea21e633b05",
}


def digests() -> dict[str, str]:
    return {name: hashlib.sha256(the_bytes(value)).hexdigest()[:16] for name, value in VALUES.items()}


@pytest.mark.parametrize("name", VALUES)
def test_values_have_the_bytes_that_stores_were_written_with(name):
    """If this fails, equal results get new digests and all that follows from them is computed again: say so in the
    changelog, and raise the version of that codec if the old bytes are read differently now."""
    assert digests()[name] == GOLDEN[name]


def test_small_values_have_the_bytes_of_the_documentation():
    assert the_bytes("né") == b"seedbank text 1\nn\xc3\xa9"
    assert the_bytes(b"\0") == b"seedbank bytes 1\n\0"
    assert the_bytes({"b": 1, "a": None}) == b"seedbank msgpack 1\n\x82\xa1a\xc0\xa1b\x01"
    assert the_bytes(Animal(name="é")) == b'seedbank json 1\n{"name":"\xc3\xa9"}'


@pytest.mark.integration
@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_equal_values_have_equal_bytes_in_another_process(seed):
    """Sets and mappings of str come in another order there."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_codecs as t; print(t.digests())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env={"PYTHONHASHSEED": seed, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == repr(digests())


def test_an_installed_seedbank_and_the_repository_name_classes_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against a home that only that of the two can read which has written it: an installed one is below `seedbank`."""
    monkeypatch.setattr(codecs, "_BELOW", "seedbank.")
    module = types.ModuleType("seedbank.things")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    thing = type("Thing", (msgspec.Struct,), {"__annotations__": {"size": int}, "__module__": module.__name__})
    monkeypatch.setattr(module, "Thing", thing, raising=False)
    stored = encode(thing(size=3))
    assert stored.type_name == "things:Thing"
    assert decode(stored.data, type_name=stored.type_name) == thing(size=3)
