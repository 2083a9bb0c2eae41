"""Notebooks: Markdown, code and printed texts; no pictures."""

import json
from typing import Any

import pytest

from resources.errors import DocumentError
from seed_assets.core.reading.extraction import extract


def notebook(*cells: dict[str, Any], **metadata: object) -> bytes:
    return json.dumps({"nbformat": 4, "metadata": metadata, "cells": list(cells)}).encode()


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": list(outputs)}


def test_cells_and_printed_texts_are_read_in_order():
    result = extract(
        notebook(
            {
                "cell_type": "markdown",
                "source": ["# Gezeiten\n", "\n", "Die *Höhe*. ![p](data:image/png;base64,AAAABBBB)"],
            },
            code(
                "print('a')\n```", {"output_type": "stream", "text": ["a\n"]}, {"output_type": "stream", "text": "b\n"}
            ),
            code(
                "1/0",
                {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "no", "traceback": ["\x1b[0;31mx"]},
            ),
            code("f", {"output_type": "execute_result", "data": {"text/plain": ["7.5"], "text/html": "<b>7.5</b>"}}),
            {"cell_type": "raw", "source": "as it is"},
            language_info={"name": "python"},
        ),
        "notebook",
    )
    assert result.title == "Gezeiten"
    assert result.text == (
        "# Gezeiten\n\nDie *Höhe*. ![p]()\n\n````python\nprint('a')\n```\n````\n\n```\na\nb\n```\n\n```python\n1/0\n```\n\n"
        "```\nZeroDivisionError: no\n```\n\n```python\nf\n```\n\n```\n7.5\n```\n\nas it is"
    )
    assert result.warnings == ()


def test_pictures_are_left_out_and_tables_are_read():
    figure = {"image/png": "iVBORw0KGgo" * 500, "text/plain": "<Figure size 640x480 with 1 Axes>"}
    table = {"text/html": "<table><tr><th>Gate</th><th>cm</th></tr><tr><td>Upper</td><td>4</td></tr></table>"}
    outputs = [{"output_type": "display_data", "data": data} for data in (figure, table)]
    assert extract(notebook(code("plot()", *outputs)), "notebook").text == (
        "```\nplot()\n```\n\n| Gate | cm |\n| --- | --- |\n| Upper | 4 |"
    )


def test_a_notebook_of_the_third_format_is_read():
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Tides"},
        {"cell_type": "code", "input": "x", "outputs": [{"output_type": "pyout", "text": "42", "png": "AAAA"}]},
    ]
    data = json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}).encode()
    assert extract(data, "notebook").text == "## Tides\n\n```\nx\n```\n\n```\n42\n```"


def test_cells_of_an_unknown_kind_are_counted():
    result = extract(notebook({"cell_type": "markdown", "source": "Known."}, {"cell_type": "video"}), "notebook")
    assert result.warnings == ("1 of its cells are of an unknown kind and not read.",)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (notebook(code("x"))[:-9], "not valid JSON"),
        (b'{"a": 1}', "not a notebook"),
        (b"[1]", "not a notebook"),
        (b'{"cells": [{}, 4, null]}', "no text"),
        (b'{"cells":' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_broken_notebook_is_named(data: bytes, reason: str):
    with pytest.raises(DocumentError, match=reason) as caught:
        extract(data, "notebook")
    assert caught.value.remedy
