"""Pages as a whole: titles, stray zeros, what is refused and why, and articles that are only among the data of a page."""

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
