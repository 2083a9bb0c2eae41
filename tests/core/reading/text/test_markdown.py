"""Markdown: front matter in three languages, comments, and embedded pictures."""

import pytest

from seed_assets.core.reading.document_fields import read_fields
from seed_assets.core.reading.extraction import extract
from seed_assets.core.reading.text.markdown_text import markdown_text


@pytest.mark.parametrize(
    "front",
    [
        "---\ntitle: The gate\ntags: [a, b]\n---",
        '---\n"title": "The gate"\n"tags": ["a", "b"]\n---',
        "---\ntitle: The gate\ntags: [\n  a,\n  b,\n]\n---",
        "---\ntitle: >-\n  The\n  gate\ntags:\n- a\n- b\n...",
        "--- yaml\n# a comment\nTitle: 'The gate'\n\ntags: a, b\nog:image: x\n2024: y\n---  ",
        '+++\ntitle = "The gate"\ntags = [\n  "a",\n  "b",\n]\n[author]\nname = "x"\n+++',
        '---toml\ntitle = "The gate"\ntags = ["a", "b"]\n---',
        '{\n  "title": "The gate",\n  "tags": ["a", "b"],\n  "draft": {"x": [1]}\n}\n',
        '---json\n{"title": "The gate", "tags": ["a", "b"]}\n---',
        ';;;\n{"title": "The gate", "tags": ["a", "b"]}\n;;;',
        "---\nтема: вода\n标签: [水, 闸]\n'any: sign, at all': x\ntitle: The gate\ntags: [a, b]\n---",
        "---\n"
        + "".join(f"field {number}: {number}\n" for number in range(3000))
        + "title: The gate\ntags: [a, b]\n---",
    ],
)
def test_front_matter_gives_title_and_fields_and_is_no_text(front: str):
    """Two readers disagreed about what front matter is: one took the fields, the other left them in the text."""
    source = f"{front}\n\nText of the page.\n".encode()
    result = extract(source, "markdown")
    assert (result.text, result.title, result.warnings) == ("Text of the page.", "The gate", ())
    assert read_fields(source, "markdown").fields["tags"] == ("a", "b")


@pytest.mark.parametrize("front", ["---\n---", "---\n\n---", "---\n# only a comment\n---", "+++\n+++", "---\n{}\n---"])
def test_empty_front_matter_is_front_matter(front: str):
    result = extract(f"{front}\n# Title\n\nText".encode(), "markdown")
    assert (result.text, result.title, result.warnings) == ("# Title\n\nText", "Title", ())


def test_names_and_values_of_toml_are_as_they_are_written():
    source = (
        '+++\nversion = 1.10\ndate = 2026-01-01\nat = 2026-01-01T10:00:00Z\ndraft = false\n"ключ" = "хлеб, вода"\nn = 3\n'
        "nested = [[1]]\n+++\nText"
    )
    found = read_fields(source.encode(), "markdown")
    assert found.fields == {
        "version": ("1.10",),
        "date": ("2026-01-01",),
        "at": ("2026-01-01T10:00:00Z",),
        "draft": ("false",),
        "ключ": ("вода", "хлеб"),
        "n": ("3",),
    }
    assert found.problems == ("nested holds lists or mappings.",)


@pytest.mark.parametrize(
    ("front", "warning", "kept"),
    [
        ("---\ntitle: The gate: a story\ntags: [a]\n---", "not valid YAML in line 2", False),
        ("---\ntitle: The gate\ntags: [a\n---", "not valid YAML in line", False),
        ("---\n- a: b\n- c\n---", "no list of `name: value`", False),
        ("---\ntitle: The gate\nbad line\ntags: [a]\n---", "not valid YAML in line", True),
        ('+++\ntitle = "The gate\n+++', "not valid TOML", True),
        ("+++\ntitle: The gate\n+++", "not valid TOML", True),
        ('{\n"title": "The gate",\n}\n', "not valid JSON", True),
        ('{"title": broken}', "not valid JSON", True),
        ('{"title": "The gate",\n "tags": [a]}', "not valid JSON", True),
        ("{title: 'The gate'}", "not valid JSON", True),
        ("---\ntitle: The gate\n", "is not closed", True),
        ('+++\ntitle = "The gate"\n', "is not closed", True),
    ],
)
def test_bad_front_matter_is_a_warning_and_the_document_is_read(front: str, warning: str, kept: bool):
    """Silence about it left documents out of clusters by fields, and nobody knew why."""
    result = extract(f"{front}\n\nText of the page.".encode(), "markdown")
    assert result.text == (f"{front}\n\nText of the page." if kept else "Text of the page.")
    assert len(result.warnings) == 1
    assert warning in result.warnings[0]
    assert result.warnings[0].startswith("The front matter")
    assert result.warnings[0].endswith(".")


def test_a_title_with_a_colon_is_the_title_although_it_is_no_yaml():
    assert extract(b"---\ntitle: The gate: a story\n---\nText", "markdown").title == "The gate: a story"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("# Gate\n\n<!-- TODO: remove -->\n\nText.", "# Gate\n\nText."),
        ("Text <!-- a note --> goes on.", "Text goes on."),
        ("Text.<!-- a\n\nnote -->\nMore.", "Text.\nMore."),
        ("<!--\n```\ncode\n```\n-->\nText.", "Text."),
        ("Text %%a note%% goes on.", "Text goes on."),
        ("Text.\n\n%%\nA note\nof lines.\n%%\n\nMore.", "Text.\n\nMore."),
        ("- item\n  <!-- a note -->\n- item", "- item\n- item"),
        ("A comment without an end: <!-- text", "A comment without an end: <!-- text"),
        ("It printed 100%% of them, and 5%% too.", "It printed 100%% of them, and 5%% too."),
        ("```html\n<!-- code -->\n```\n<!-- a note -->Text", "```html\n<!-- code -->\n```\nText"),
        ("~~~\n<!-- code -->\n```\n%% code %%\n~~~\nText", "~~~\n<!-- code -->\n```\n%% code %%\n~~~\nText"),
        ("1. item\n   ```\n   <!-- code -->\n   ```\n", "1. item\n   ```\n   <!-- code -->\n   ```\n"),
        ("Write `<!-- code -->` or ``%% `a` %%``.", "Write `<!-- code -->` or ``%% `a` %%``."),
        ("Text.\n\n    <!-- code -->\n\nMore.", "Text.\n\n    <!-- code -->\n\nMore."),
        ("A tick ` alone <!-- a note -->.\n\nAnd ` here", "A tick ` alone .\n\nAnd ` here"),
    ],
)
def test_comments_are_no_text_except_in_code(source: str, text: str):
    assert markdown_text(source) == text


DATA = "data:image/png;base64," + "iVBORw0KGgo+AB/" * 20 + "=="
SVG = "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg'><g transform='rotate(9 5)'/></svg>"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (f"See ![the gauge]({DATA}) here.", "See ![the gauge]() here."),
        (f'See ![the gauge]({DATA} "A title") here.', 'See ![the gauge]( "A title") here.'),
        (f"See ![the gauge](<{DATA}>) here.", "See ![the gauge](<>) here."),
        (f"Text ![]({DATA}).", "Text ."),
        (f"[![the gauge]({DATA})](http://a.b)", "[![the gauge]()](http://a.b)"),
        (f"![the gauge][1]\n\n[1]: {DATA}\n[2]: http://a.b", "![the gauge][1]\n\n[2]: http://a.b"),
        (f"![][image1]\n\n[image1]: <{DATA}>", "![][image1]\n\n"),
        (f'<img alt="the gauge" src="{DATA}" width=5>', '<img alt="the gauge" src="" width=5>'),
        (f"<img src='{DATA}'>", "<img src=''>"),
        (f'<img\n  src = "{DATA}"\n  alt="x">', '<img\n  src = ""\n  alt="x">'),
        (f"<img src={DATA} alt=x>", "<img src= alt=x>"),
        (f'<img src="{SVG}" alt="x">', '<img src="" alt="x">'),
        (f'<div style="background: url({DATA})">x</div>', '<div style="background: url()">x</div>'),
        (f"- item\n\n    ![the gauge]({DATA})\n", "- item\n\n    ![the gauge]()\n"),
        (f"A paste: {DATA[:-2]} and text.", "A paste:  and text."),
        ("![x](data:image/png;base64,AAAA\n  BBBB\n  CC==)", "![x]()"),
        (f"[a file](data:text/plain;charset=utf-8,{'a%20' * 9})", "[a file]()"),
        ("Write data:text/plain,hello for it.", "Write data:text/plain,hello for it."),
        ("The data: first, second, third.", "The data: first, second, third."),
        (f'```\n![x]({DATA})\n```\n`src="{DATA}"`', f'```\n![x]({DATA})\n```\n`src="{DATA}"`'),
    ],
)
def test_embedded_files_are_no_text_except_in_code(source: str, text: str):
    assert markdown_text(source) == text
