"""Raised and lowered text in plain characters: it never runs into the text before it."""

import pytest

from seed_assets.core.reading.superscripts import lowered, raised


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("6", "⁶"), ("-3", "⁻³"), ("2+", "²⁺"), ("n", "ⁿ"), ("st", "st"), ("ème", "ème"), ("TM", "™"), ("*", "*"),
        ("x", "^x"),
        ("iπ", "^(iπ)"), ("n+k", "^(n+k)"), ("T", "^T"), ("see the log", " see the log "), ("", ""), (" 6\n", "⁶"),
    ],
)  # fmt: skip
def test_raised_text(text: str, form: str):
    assert raised(text) == form


@pytest.mark.parametrize(("text", "form"), [("2", "₂"), ("max", "_(max)"), ("i", "_i"), ("10", "₁₀"), ("a b", " a b ")])
def test_lowered_text(text: str, form: str):
    assert lowered(text) == form
