"""The properties of keys and digests that docs/identity.md states."""

import enum
import json
import math
import unicodedata
from collections import namedtuple
from pathlib import Path
from types import MappingProxyType

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from io_managers.store.errors import UnencodableError
from io_managers.store.fingerprint import KeyTemplate, content_digest, encode_part, first_difference

# A small alphabet that holds the encoding's own tags and lengths: collisions, if there are any, are near.
texts = st.text(alphabet="01ab:slm\0é", max_size=4) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 12)
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.sampled_from([0.0, -0.0, 1.0, math.inf])
    | st.floats(allow_nan=False)
    | texts
    | st.binary(max_size=4)
)
parts = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=6,
)


def identity(part):
    """What two parts must share to be one, said another way than the encoding says it."""
    if isinstance(part, dict):
        return dict, frozenset((name, identity(value)) for name, value in part.items())
    if isinstance(part, list | tuple):
        return list, tuple(identity(item) for item in part)
    return type(part), part


@pytest.mark.slow
@given(parts, parts)
@example(1, True)
@example(1, 1.0)
@example(0.0, -0.0)
@example("1", b"1")
@example([], {})
@example([[]], [])
def test_two_parts_have_the_same_bytes_exactly_when_they_are_equal(one, other):
    assert (encode_part(one) == encode_part(other)) == (identity(one) == identity(other))


@pytest.mark.slow
@given(st.lists(parts, max_size=3), st.lists(parts, max_size=3))
def test_parts_written_one_after_another_cannot_be_taken_apart_in_two_ways(one, other):
    joined = [b"".join(map(encode_part, items)) for items in (one, other)]
    assert (joined[0] == joined[1]) == (identity(one) == identity(other))


@pytest.mark.slow
@given(st.dictionaries(texts, parts, min_size=2, max_size=5), st.randoms())
def test_the_order_of_a_mapping_decides_nothing(mapping, random):
    names = list(mapping)
    random.shuffle(names)
    assert encode_part({name: mapping[name] for name in names}) == encode_part(mapping)


@pytest.mark.slow
@given(st.lists(parts, min_size=2, max_size=4))
def test_the_order_of_a_list_decides(items):
    backwards = items[::-1]
    assert (encode_part(items) == encode_part(backwards)) == (identity(items) == identity(backwards))


def test_kinds_and_borders_are_part_of_a_part():
    ones = [1, "1", 1.0, True, b"1", [1], {"1": 1}]
    assert len({encode_part(one) for one in ones}) == len(ones)
    assert encode_part(["ab", "c"]) != encode_part(["a", "bc"])
    assert encode_part(["ab"]) != encode_part("ab")
    assert encode_part([["a"], "b"]) != encode_part([["a", "b"]])
    assert encode_part({"a": None}) != encode_part({})


def test_a_tuple_and_a_list_are_one():
    assert encode_part((1, ("a",))) == encode_part([1, ["a"]])


def test_composed_and_decomposed_text_differ():
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    assert encode_part(composed) != encode_part(decomposed)


class _Colour(enum.Enum):
    RED = "red"


class _Level(enum.IntEnum):
    LOW = 1


class _Word(str):
    pass


class _Ratio(float):
    pass


@pytest.mark.parametrize(
    "part",
    [
        math.nan,
        "a\udc80",
        {1, 2},
        frozenset(),
        Path("a"),
        _Colour.RED,
        _Level.LOW,
        _Word("a"),
        _Ratio(1.0),
        np.float64(1.0),
        np.int64(1),
        namedtuple("Point", "x")(1),
        bytearray(b"a"),
        {1: "a"},
        {_Word("a"): 1},
        1 << 63,
        1j,
        object(),
        range(3),
    ],
    ids=lambda part: type(part).__name__,
)
def test_what_has_no_exact_encoding_fails_and_says_where(part):
    """A part that is left out, or shortened, would make two different actions one."""
    with pytest.raises(UnencodableError, match=r"key\.params\[1\]"):
        encode_part({"params": [0, part]})


GOLDEN_PARTS = [
    (None, b"n"),
    (True, b"t"),
    (False, b"f"),
    (-12, b"i-12:"),
    (1.5, b"d\x3f\xf8\0\0\0\0\0\0"),
    (-0.0, b"d\0\0\0\0\0\0\0\0"),
    ("né", "s3:né".encode()),
    (b"\0a", b"b2:\0a"),
    (["a", 1], b"l2:s1:ai1:"),
    ({"b": [], "a": {}}, b"m2:s1:am0:s1:bl0:"),
]


@pytest.mark.parametrize(("part", "encoded"), GOLDEN_PARTS)
def test_the_encoding_is_the_one_that_stores_were_written_with(part, encoded):
    """If this fails, every action key of every store changes: raise SCHEME, and say so in the changelog."""
    assert encode_part(part) == encoded


def test_the_keys_are_the_ones_that_stores_were_written_with():
    """If this fails, every result of every store is computed again: raise SCHEME, and say so in the changelog."""
    template = KeyTemplate("summaries", {"version": "3", "words": 200, "model": {"name": "né", "temperature": 0.0}})
    action = template.action({"extracted_text": content_digest(b"text")})
    assert content_digest(b"text") == "sha256:982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"
    assert action.key == "ebeec17f6c80290a71b7b6ca78a2c9a88b7801e9d7c4016fe6626ce1ca5cc681"
    assert (
        KeyTemplate("chunks", {}).action({}).key == "026c789a679d1ec0f19bcf91c447135b34577018b708dc988ba969a31a2114c5"
    )


def test_what_is_common_and_what_is_given_cannot_trade_places():
    assert KeyTemplate("s", {"a": 1}).action({}).key != KeyTemplate("s", {}).action({"a": 1}).key
    assert KeyTemplate("s", {}).action({}).key != KeyTemplate("t", {}).action({}).key


@pytest.mark.slow
@given(st.dictionaries(texts, parts, max_size=3), st.dictionaries(texts, parts, max_size=3))
def test_a_key_depends_on_nothing_but_stage_and_parts(fixed, inputs):
    template = KeyTemplate("s", fixed)
    template.action({"other": 1})
    assert template.action(inputs) == KeyTemplate("s", dict(reversed(fixed.items()))).action(inputs)


@pytest.mark.slow
@given(st.dictionaries(texts, parts, max_size=4))
def test_parts_that_were_read_back_do_not_differ_from_themselves(given_parts):
    finite = json.loads(json.dumps(given_parts, default=str).replace("Infinity", "1"))
    assert first_difference(msgspec.json.decode(msgspec.json.encode(finite)), finite) == ""


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ({"version": "1"}, {"version": "2"}, "version: 1 -> 2"),
        ({"version": 1}, {"version": "1"}, "version: 1 -> '1'"),
        ({"flag": 1}, {"flag": True}, "flag: 1 -> True"),
        ({"text": "sha256:aa"}, {"text": "sha256:bb"}, "text: changed"),
        ({}, {"prompt": "p"}, "prompt: new"),
        ({"prompt": "p"}, {}, "prompt: gone"),
        ({"model": {"name": "a"}}, {"model": {"name": "b"}}, "model: name: a -> b"),
        ({"model": {"name": "a"}}, {"model": MappingProxyType({"name": "a"})}, ""),
        ({"sizes": [1, 2]}, {"sizes": (1, 2)}, ""),
        ({"seed": "YQ=="}, {"seed": b"a"}, ""),
    ],
)
def test_a_miss_is_explained_by_the_first_part_that_differs(before, now, words):
    assert first_difference(before, now) == words


@pytest.mark.slow
@given(st.dictionaries(texts, parts, max_size=3), st.dictionaries(texts, parts, min_size=1, max_size=3))
def test_keys_formed_together_are_those_formed_alone(fixed, inputs):
    template = KeyTemplate("stage", fixed)
    columns = {name: {"a": part, "b": "another"} for name, part in inputs.items()}

    together = template.keys(columns, ["a", "b"])

    assert together["a"] == template.action(inputs).key
    assert together["b"] == template.action(dict.fromkeys(inputs, "another")).key
