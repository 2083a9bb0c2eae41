"""Pages as a whole: titles, stray zeros, what is refused and why, and articles that are only among the data of a page."""

import html
import json

import pytest

from seed_assets.core.reading.extraction import extract
from tests.support.html_pages import LONG, SENTENCE, html_refusal, html_text, page


def test_a_title_leaves_out_the_sign_that_links_to_it():
    source = page(
        f'<h1>Ferry<a class="headerlink" href="#ferry">¶</a></h1><p>{SENTENCE}</p>', "<title>Ferry — Docs</title>"
    )
    assert extract(source.encode(), "html").title == "Ferry"


def test_a_first_heading_that_links_to_the_site_is_not_the_title():
    body = f'<h1><a href="/">Harbour News</a></h1><h1>The ferry is late</h1><p>{SENTENCE}</p>'
    assert extract(page(body, "").encode(), "html").title == "The ferry is late"


@pytest.mark.parametrize("body", [f"<p>{SENTENCE}</p>", LONG], ids=["short", "long"])
def test_stray_zeros_do_not_end_a_page(body: str):
    """libxml2 ends a page at a zero character; a page with one was refused as binary."""
    source = page(f"<p>Before\x00 it.</p>{body * 4}<p>After it.</p>").encode()
    text = extract(source, "html").text
    assert "Before it." in text
    assert "After it." in text


def test_a_page_of_frames_names_them():
    source = b'<html><head><title>Manual</title></head><frameset rows="1,*"><frame src="menu.html"><frame src="text/start.html">'
    source += b"<noframes><body>This browser shows no frames.</body></noframes></frameset></html>"
    with pytest.raises(Exception, match=r"frames.*menu\.html, text/start\.html") as caught:
        extract(source, "html")
    assert "Add the files" in str(caught.value)


def test_what_a_page_of_frames_says_without_them_is_read_if_it_is_a_text():
    source = f"<html><frameset cols='1,*'><frame src='a.html'><noframes><body><h1>Ferry</h1>{LONG}</body></noframes></frameset>"
    text = extract(source.encode(), "html").text
    assert text.startswith("# Ferry\n\nLog 0 of the ferry")
    assert "<" not in text


def test_a_page_that_only_shows_another_names_it():
    error = html_refusal('<iframe src="https://example.org/form"></iframe>')
    assert "frames" in error.reason
    assert "https://example.org/form" in error.reason


def test_a_page_with_many_frames_names_the_first_of_them():
    error = html_refusal("".join(f'<iframe src="{number}.html"></iframe>' for number in range(9)))
    assert "(0.html, 1.html, 2.html, 3.html, 4.html and 4 more)" in error.reason


@pytest.mark.parametrize(
    "body",
    [
        '<div id="app"></div><script src="app.js"></script>',
        '<noscript>You need to enable JavaScript to run this app.</noscript><div id="root"></div>',
        "<noscript><div><p>Please turn on JavaScript.</p></div></noscript><app-root></app-root><script>go()</script>",
    ],
)
def test_a_page_that_a_script_fills_is_a_named_failure(body: str):
    error = html_refusal(body)
    assert "script" in error.reason
    assert "Save it from a browser" in error.remedy


def test_an_article_that_is_only_among_the_data_is_read():
    article = "The lighthouse of Kell was lit in 1902. " + " ".join(
        f"Keeper {n} wrote a diary of {n} years." for n in range(20)
    )
    data = json.dumps({"@graph": [{"@type": "Person"}, {"@type": "NewsArticle", "articleBody": article}]})
    text = html_text(f'<h1>Kell</h1><div id="root"></div><script type="application/ld+json">{data}</script>')
    assert "The lighthouse of Kell was lit in 1902." in text
    assert "Keeper 19 wrote" in text


def test_data_that_repeat_the_page_do_not_replace_it():
    data = json.dumps({"articleBody": f"{SENTENCE} " * 20})
    body = f'<p>{SENTENCE}</p><pre>ferry --now\n  --fast</pre><script type="application/ld+json">{data}</script>'
    text = html_text(body * 3)
    assert "ferry --now\n  --fast" in text


@pytest.mark.parametrize("data", ["{", "[" * 5_000, '{"articleBody": 3}', '"x"', ""])
def test_data_that_cannot_be_read_are_left_out(data: str):
    assert html_text(f'<p>{SENTENCE}</p><script type="application/ld+json">{data}</script>') == SENTENCE


def test_what_is_filled_in_on_a_form_is_text():
    body = (
        '<form><label>Vessel <input name="vessel" value="Corran Maid"></label><label for="d">Draft</label>'
        '<input id="d" type="number" value="1.85"><p>Arrives <input type="date" value="2024-01-31"></p>'
        "<p>Note <textarea>First line\nSecond line</textarea></p>"
        '<p>Berth <select><option value="">Choose</option><option>North<option selected>South</select></p>'
        '<div><input type="checkbox" checked id="a"><label for="a">Insured</label></div>'
        '<div><input type="radio" name="r"> Sail <input type="radio" name="r" checked> Motor</div>'
        "<table><tr><th>Gate</th><th>Open</th></tr><tr><td>Upper</td><td><input type=checkbox checked></td></tr>"
        '<tr><td>Lower</td><td><input value="by hand"></td></tr></table>'
        '<input type="hidden" value="token"><input type="password" value="secret"><input type="submit" value="Send">'
        '<input name="q" value="Search..."><input type="text" value="Your mail" onfocus="this.value=\'\'">'
        '<input type="checkbox" id="nav-toggle"><label for="nav-toggle">Menu</label></form>'
    )
    text = html_text(body)
    for line in ("Vessel Corran Maid", "Draft 1.85", "Arrives 2024-01-31", "Note First line\nSecond line", "Berth South",
                 "☒ Insured", "☐ Sail ☒ Motor", "| Upper | ☒ |", "| Lower | by hand |"):  # fmt: skip
        assert line in text
    for gone in ("token", "secret", "Send", "Search", "Your mail", "North", "Choose", "☐ Menu"):
        assert gone not in text


def test_a_form_that_is_filled_in_is_read_on_a_long_page_as_well():
    form = '<form><p>Vessel</p><input name="v" value="Corran Maid"><div><input type="checkbox" checked> Insured</div></form>'
    text = html_text(f"<article>{LONG * 3}</article><div>{form}</div>")
    assert "Vessel\n\nCorran Maid\n\n☒ Insured" in text


def test_the_text_of_a_drawing_is_read_and_the_name_of_an_icon_is_not():
    drawing = (
        "<svg><title>Flow</title><desc>Created with Sketch.</desc><defs><text>unseen</text></defs><style>.a{}</style>"
        "<g><text x=1>Open <tspan>the</tspan> gate</text><text><tspan x=1>Close</tspan><tspan x=1 dy=2>it</tspan></text></g>"
        "</svg>"
    )
    icon = "<svg><title>Search</title><desc>Created with Sketch.</desc><path/></svg>"
    text = html_text(f"<p>Before it.</p>{drawing}<p>After{icon} it.</p>")
    assert text == "Before it.\n\nFlow\nOpen the gate\nClose it\n\nAfter it."


def test_a_page_within_the_page_is_read_in_its_place():
    deeper = html.escape("<p>Deeper.</p>")
    inner = html.escape(f'<title>x</title><p>Inside.</p><iframe srcdoc="{deeper}"></iframe>')
    source = page(f'<p>Before.</p><iframe srcdoc="{inner}"></iframe><p>After.</p>', "")
    result = extract(source.encode(), "html")
    assert result.text == "Before.\n\nInside.\n\nDeeper.\n\nAfter."
    assert result.warnings == ()


def test_frames_that_show_other_pages_are_named_and_adverts_are_not():
    body = (
        f'<p>{SENTENCE}</p><iframe src="log.html" title="Log"></iframe><iframe src="https://maps.example.org/a"></iframe>'
        '<iframe src="https://www.youtube.com/embed/1"></iframe><iframe src="https://ad.doubleclick.net/x"></iframe>'
        '<iframe src="https://www.youtube.com/embed/2" title="The lock opens"></iframe><iframe src="about:blank"></iframe>'
        '<iframe src="https://example.org/count" width="1" height="1"></iframe><object data="report.pdf"></object>'
    )
    assert extract(page(body).encode(), "html").warnings == (
        "4 frames that show other pages are not read: Log (log.html), https://maps.example.org/a, The lock opens "
        "(https://www.youtube.com/embed/2), report.pdf.",
    )


def test_a_single_value_changes_no_other_text_of_a_page():
    """The title in the field of a comment seemed to be the heading, and an amount took the blocks around it."""
    beside = (
        '<div><p>Pay</p><input value="5"><input value="https://example.org/a"><input value="The ferry is late"></div>'
    )
    text = html_text(f"<article><h1>The ferry is late</h1>{LONG * 3}</article>{beside}")
    assert text.startswith("# The ferry is late\n\n")
    assert "example.org" not in text
