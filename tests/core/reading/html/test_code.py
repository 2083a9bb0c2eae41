"""Code of a page: line by line, without the numbers that a highlighter puts beside the lines."""

import pytest

from seed_assets.core.reading.html.code import number_lines
from tests.support.html_pages import LONG, SENTENCE, html_text

CODE = "def tide(hours):\n    if hours > 6:\n        return 'ebb'"
FIRST, SECOND, THIRD = CODE.replace(">", "&gt;").split("\n")

PYGMENTS = (
    f'<table class="highlighttable"><tr><td class="linenos"><div><pre>1\n2\n3</pre></div></td><td '
    f'class="code"><div><pre><span></span>{FIRST}\n{SECOND}\n{THIRD}\n</pre></div></td></tr></table>'
)
GITHUB = "<table>" + "".join(
    f'<tr><td class="blob-num" data-line-number="{number}"></td><td class="blob-code">{line}</td></tr>'
    for number, line in enumerate((FIRST, SECOND, THIRD), 41)
)
GITHUB += "</table>"
DIFF = "<table>" + "".join(
    f'<tr><td class="blob-num">{number}</td><td class="blob-num">{number + 1}</td><td '
    f'class="blob-code">{line}</td></tr>'
    for number, line in enumerate((FIRST, SECOND, THIRD))
)
DIFF += "</table>"
ROUGE = (
    f'<table class="rouge-table"><tbody><tr><td class="rouge-gutter gl"><pre class="lineno">1\n2\n3\n'
    f'</pre></td><td class="rouge-code"><pre>{FIRST}\n{SECOND}\n{THIRD}\n</pre></td></tr></tbody>'
    f"</table>"
)
CGIT = (
    f"<table><tr><td><pre><a id=n1>1</a>\n<a id=n2>2</a>\n<a id=n3>3</a>\n</pre></td><td><pre>"
    f"<code>{FIRST}\n{SECOND}\n{THIRD}</code></pre></td></tr></table>"
)
SYNTAX_HIGHLIGHTER = (
    "<table><tr><td class='gutter'><div>1</div><div>2</div><div>3</div></td><td class='code'><div class='container'>"
    + "".join(
        f"<div class='line'><code>{line.replace('    ', '&nbsp;&nbsp;&nbsp;&nbsp;')}</code></div>"
        for line in (FIRST, SECOND, THIRD)
    )
    + "</div></td></tr></table>"
)
HIGHLIGHT_JS = (
    "<pre><code class='hljs'><table class='hljs-ln'><tbody>"
    + "".join(
        f"<tr><td class='hljs-ln-line hljs-ln-numbers' data-line-number='{n}'><div class='hljs-ln-n'>"
        f"</div></td><td class='hljs-ln-code'>{line}</td></tr>"
        for n, line in enumerate((FIRST, SECOND, THIRD), 1)
    )
    + "</tbody></table></code></pre>"
)
CHROMA = "<pre><code>" + "".join(
    f'<span class="line"><span class="ln">{n}</span><span class="cl">{line}\n</span></span>'
    for n, line in enumerate((FIRST, SECOND, THIRD), 1)
)
CHROMA += "</code></pre>"
GITLAB = (
    f"<div class='file'><div class='line-numbers'><a>1</a>\n<a>2</a>\n<a>3</a></div><div>"
    f"<pre>{FIRST}\n{SECOND}\n{THIRD}</pre></div></div>"
)
DIVISIONS = f"<pre><code><div>{FIRST}</div><div>{SECOND}</div><div>{THIRD}</div></code></pre>"
DISPLAYED = "<pre>" + "".join(
    f'<span style="display:flex"><span>{line}</span></span>' for line in (FIRST, SECOND, THIRD)
)
DISPLAYED += "</pre>"
BREAKS = f"<pre>{FIRST}<br>{SECOND}<br/>{THIRD}</pre>"
TABBED = (
    f'<div class="tabs"><input type="radio" checked><label>Python</label><div class="tab"><div '
    f'class="highlight"><pre><code>{FIRST}\n{SECOND}\n{THIRD}\n</code></pre></div></div></div>'
)
COPY = f"<div><button class='copy'>Copy</button><pre><code>{FIRST}\n{SECOND}\n{THIRD}</code></pre></div>"
FORMS = {
    "pygments": PYGMENTS, "github": GITHUB, "diff": DIFF, "rouge": ROUGE, "cgit": CGIT, "gitlab": GITLAB,
    "syntaxhighlighter": SYNTAX_HIGHLIGHTER, "highlight.js": HIGHLIGHT_JS, "chroma": CHROMA, "divisions": DIVISIONS,
    "displayed as lines": DISPLAYED, "breaks": BREAKS, "tabbed": TABBED, "copied by a button": COPY,
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), [(f"<p>{SENTENCE}</p>", ""), (LONG, LONG), (f"<main>{LONG}", "</main>")])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_code_is_read_line_by_line_without_numbers(form: str, before: str, after: str):
    text = html_text(f"{before}{form}{after}")
    assert f"\n\n{CODE}" in text
    assert not any(line.strip().isdigit() or line == "Copy" for line in text.splitlines())


def test_empty_lines_and_indentation_of_code_stay():
    assert html_text(f"<p>{SENTENCE}</p><pre>\na:\n\n\tb: 1\n</pre>").endswith("\n\na:\n\n\tb: 1")


def test_code_in_a_cell_keeps_its_lines():
    cells = (
        "<tr><th>Task<th>Command<tr><td>Leave<td><pre>ferry leave \\\n  --now</pre><tr><td>Wait<td>"
        "<pre>ferry wait</pre>"
    )
    text = html_text(f"<table>{cells}</table>")
    assert "ferry leave \\\n  --now" in text
    assert "ferry wait" in text


def test_a_table_of_data_with_numbers_is_no_table_of_code():
    assert (
        html_text("<table><tr><td>1<td>Marta<tr><td>2<td>Karl</table>") == "| 1 | Marta |\n| --- | --- |\n| 2 | Karl |"
    )


@pytest.mark.parametrize(
    ("text", "count"), [("1\n2\n3", 3), (" 7 8 ", 2), ("1\n3", 0), ("one", 0), ("", 0), ("1 a", 0)]
)
def test_line_numbers_are_consecutive(text: str, count: int):
    assert number_lines(text) == count
