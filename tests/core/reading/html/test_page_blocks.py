"""The blocks of a page: nothing that is meant to be read is lost, on short pages as on long ones."""

import pytest

from seed_assets.core.reading.extraction import extract
from tests.support.html_pages import LONG, SENTENCE, html_text, page

KEPT = {
    "accordion": (
        '<h3 class="accordion-header"><button class="accordion-button">Who mends it?</button></h3>'
        "<div>The smith.</div>",
        "### Who mends it?\n\nThe smith.",
    ),
    "collapsible": (
        '<button class="collapsible">Winter hours</button><div class="content"><p>From nine.</p></div>',
        "Winter hours\n\nFrom nine.",
    ),
    "aside": ("<aside><p>Mind the gap.</p></aside>", "Mind the gap."),
    "details": ("<details><summary>Winter hours</summary><p>From nine.</p></details>", "Winter hours\n\nFrom nine."),
    "closed details": ("<details><summary>Fares</summary>Two crowns.</details>", "Fares\n\nTwo crowns."),
    "quotation": (
        "<blockquote><p>The sea is patient.</p><footer>— Ilse Marten, <cite>mate</cite></footer></blockquote>",
        "The sea is patient.\n\n— Ilse Marten, mate",
    ),
    "figure": ("<figure><img src=p.png alt=''><figcaption>The pier in 1911</figcaption></figure>", "The pier in 1911"),
    "definitions": (
        "<dl><dt>Bow</dt><dd>The front.</dd><dt>Stern</dt><dd><p>The back.</p></dd></dl>",
        "Bow\n\nThe front.\n\nStern\n\nThe back.",
    ),
    "list": (
        "<ul><li>Rope</li><li><p>Oil</p><ol start=3><li>Thin</li><li value=7>Thick</li></ol></li></ul>",
        "- Rope\n- Oil\n  3. Thin\n  7. Thick",
    ),
    "list with code": (
        "<ol><li>Call it<pre>ferry call\n  --loud</pre></li><li>Wait</li></ol>",
        "1. Call it\n   ferry call\n     --loud\n2. Wait",
    ),
    "list that lays out": (
        "<ul><li><h3>Bow</h3><p>The front.</p></li><li><h3>Stern</h3><p>The back.</p></li></ul>",
        "### Bow\n\nThe front.\n\n### Stern\n\nThe back.",
    ),
    "noscript": (
        "<noscript><p>The timetable is on the door of the office, and a copy of it hangs in the inn.</p></noscript>",
        "The timetable is on the door",
    ),
    "breaks": ("<div>Line one<br>line two<br><br>Paragraph two</div>", "Line one\nline two\n\nParagraph two"),
    "loose text": (
        "<div>Loose <b>text</b><p>and a paragraph</p>and more</div>",
        "Loose text\n\nand a paragraph\n\nand more",
    ),
    "nested heading": ("<h2><div>The</div><div>pier</div></h2><p>Of stone.</p>", "## The pier\n\nOf stone."),
    "custom elements": (
        "<ferry-log><log-day>Monday.</log-day><log-day>Tuesday.</log-day></ferry-log>",
        "Monday. Tuesday.",
    ),
    "address": ("<address>Harbour Road 3<br>Ostrand</address>", "Harbour Road 3\nOstrand"),
    "signature": (
        "<dl class='py function'><dt>open_gate(<em>level</em>, <em>timeout=30</em>)<a "
        "class='headerlink' href='#f'>¶</a></dt><dd><p>Opens it.</p></dd></dl>",
        "open_gate(level, timeout=30)\n\nOpens it.",
    ),
    "tabs": (
        "<div role=tablist><button role=tab>Sail</button><button role=tab>Steam</button></div><div "
        "role=tabpanel><p>By wind.</p></div><div role=tabpanel hidden><p>By coal.</p></div>",
        "Sail\n\nSteam\n\nBy wind.\n\nBy coal.",
    ),
    "labels": (
        "<div class='tabbed-labels'><label>Sail</label><label>Steam</label></div><p>By wind.</p>",
        "Sail\n\nSteam\n\nBy wind.",
    ),
    "object": ("<object data='map.svg'><p>A map of the sound.</p></object>", "A map of the sound."),
}


@pytest.mark.parametrize(("body", "text"), KEPT.values(), ids=KEPT)
@pytest.mark.parametrize(
    ("before", "after"),
    [(f"<p>{SENTENCE}</p>", ""), (LONG, LONG), (f"<main>{LONG}", f"{LONG}</main>")],
    ids=["short", "long", "named main"],
)
def test_what_is_meant_to_be_read_is_kept(body: str, text: str, before: str, after: str):
    assert f"\n\n{text}" in html_text(f"{before}{body}{after}")


def test_a_heading_that_was_not_closed_is_not_the_whole_page():
    source = f"<h1>Ferry<div>{LONG}</div></h1>"
    assert "\n\nLog 7 of the ferry" in html_text(source)


def test_rows_of_buttons_are_controls():
    body = f"<p>{SENTENCE}</p><button>Print</button><button>Save</button><button>Share</button>"
    assert html_text(body) == SENTENCE


def test_deep_lists_are_not_indented_without_end():
    """The text of a crafted page must not grow with the square of its size."""
    text = html_text("<ul><li>a" * 150)
    assert max(map(len, text.splitlines())) < 40


@pytest.mark.parametrize("level", [1, 2, 6])
def test_headings_keep_their_level(level: int):
    assert html_text(f"<h{level}>Piers</h{level}><p>{SENTENCE}</p>", "").startswith(f"{'#' * level} Piers\n\n")


def test_equal_pages_give_equal_texts():
    source = page(f"<article>{LONG}{''.join(body for body, _ in KEPT.values())}</article>").encode()
    assert extract(source, "html") == extract(source, "html")


def test_whose_a_quotation_is_stands_after_it_at_the_end_of_a_long_page():
    quotation = "<blockquote><p>The sea is patient.</p><footer>Ilse Marten, mate</footer></blockquote>"
    assert html_text(LONG + quotation).endswith("\n\nThe sea is patient.\n\nIlse Marten, mate")
