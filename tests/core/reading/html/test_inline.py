"""The text inside a block: raised text, notes, signs that only link, pictures, and characters that are not seen."""

import pytest

from tests.support.html_pages import LONG, SENTENCE, html_text


@pytest.mark.parametrize("around", ["", LONG], ids=["short", "long"])
@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("10<sup>6</sup> t", "10⁶ t"),
        ("10<sup>−3</sup> m", "10⁻³ m"),
        ("CO<sub>2</sub> and x<sub>max</sub>", "CO₂ and x_(max)"),
        ("on the 3<sup>rd</sup> of May", "on the 3rd of May"),
        ("in 1911<sup><a href='#fn3'>3</a></sup> it", "in 1911[3] it"),
        ("in 1911<a href='#n4'><sup>4</sup></a> it", "in 1911[4] it"),
        ("in 1911<sup class='reference'><a href='#n'><span>[</span>7<span>]</span></a></sup> it", "in 1911[7] it"),
        ("in 1911<sup role='doc-noteref'>9</sup> it", "in 1911[9] it"),
        ("in 1911<sup class='footnote-ref'><a href='#fn'>*</a></sup> it", "in 1911[*] it"),
        ("H<b>yd</b>ro<i>gen</i>", "Hydrogen"),
        ("one<wbr>word and fer&shy;ry&#8203;man", "oneword and ferryman"),
        ("she said <q>aye</q>", 'she said "aye"'),
        ("<a href=a>North</a><a href=b>South</a> pier", "North South pier"),
        ("set <code>max_retry_count</code> to *two* [or](more)", "set max_retry_count to *two* [or](more)"),
        ("<ruby>東京<rt>とうきょう</rt></ruby>まで", "東京まで"),
        ("<ruby>Kell<rp>(</rp><rt>lighthouse</rt><rp>)</rp></ruby> stands", "Kell(lighthouse) stands"),
        ("press <button>Start</button> to leave", "press Start to leave"),
        ("a <img src='heart.png' alt='heart of oak'> ship", "a heart of oak ship"),
        ("left\N{NO-BREAK SPACE}right", "left right"),
    ],
)
def test_inline_text(markup: str, text: str, around: str):
    written = html_text(f"<main>{around}<p>{SENTENCE} {markup}.</p>{around}</main>")
    assert f"{SENTENCE} {text}." in written


@pytest.mark.parametrize(
    "sign",
    [
        '<a class="headerlink" href="#pier" title="Permalink to this headline">¶</a>',
        '<a class="anchor" aria-hidden="true" href="#pier"><svg></svg></a>',
        '<a href="#pier">#</a>',
        '<a href="page.html#pier">§</a>',
        '<a class="hash-link" href="#pier" aria-label="Direct link">\u200b</a>',
        '<a href="#pier">🔗</a>',
        '<a href="#pier">Permalink</a>',
        '<span class="mw-editsection"><span>[</span><a href="/w/index.php?action=edit">edit</a><span>]</span></span>',
    ],
)
@pytest.mark.parametrize("around", ["", LONG], ids=["short", "long"])
def test_a_sign_that_links_to_a_heading_is_no_text(sign: str, around: str):
    text = html_text(f"<article>{around}<h2 id=pier>The pier{sign}</h2><p>{SENTENCE}</p></article>")
    assert f"## The pier\n\n{SENTENCE}" in text


def test_a_link_inside_the_page_with_words_is_text():
    assert html_text(f"<p>See <a href='#pier'>the pier</a>. {SENTENCE}</p>").startswith("See the pier. The ferry")


def test_the_way_back_from_a_note_is_no_text():
    body = f"<p>{SENTENCE}</p><ol><li id=n1>The log of 1911. <a href='#r1'>↩</a></li></ol>"
    assert html_text(body).endswith("\n\n1. The log of 1911.")


@pytest.mark.parametrize(
    "picture",
    [
        "<img src='a.png' alt='{}'>",
        "<figure><img src='a.png' alt='{}'></figure>",
        "<figure><a href='a.png'><img src='a.png' alt='{}'></a><figcaption>Figure 1</figcaption></figure>",
        "<picture><source srcset='a.webp'><img alt='{}' src='a.png'></picture>",
        "<p><img alt='{}' src='a.png'></p>",
        "<svg role='img' aria-label='{}'><path/></svg>",
        "<svg role='img'><title>{}</title><text>x</text></svg>",
        "<div role='img' aria-label='{}'></div>",
    ],
)
def test_the_alternative_of_a_picture_is_text_in_its_place(picture: str):
    alternative = "Map: two piers, and the ferry between them"
    body = f"<p>Before it.</p>{picture.format(alternative)}<p>After it.</p>"
    text = html_text(body)
    assert text.index("Before it.") < text.index(alternative) < text.index("After it.")


def test_an_alternative_that_the_caption_repeats_is_read_once():
    figure = "<figure><img src=a.png alt='The old pier'><figcaption>The old pier, in 1911</figcaption></figure>"
    assert html_text(f"<p>{SENTENCE}</p>{figure}") == f"{SENTENCE}\n\nThe old pier, in 1911"


@pytest.mark.parametrize("alternative", ["", "IMG_2034.jpg", "pier-small.webp", "logo", "Image", "DSC0012", "pier"])
def test_an_alternative_that_says_nothing_is_left_out(alternative: str):
    assert html_text(f"<p>{SENTENCE}</p><img src='/img/pier.png' alt='{alternative}'>") == SENTENCE


@pytest.mark.parametrize("attributes", ["width=1 height=1", "role=presentation"])
def test_a_picture_that_counts_visits_or_adorns_is_left_out(attributes: str):
    assert html_text(f"<p>{SENTENCE}</p><img src='t.gif' alt='Visits counted' {attributes}>") == SENTENCE


def test_a_picture_that_is_loaded_late_is_read_once():
    late = "<img data-src='a.png' alt='The old pier'><noscript><img src='a.png' alt='The old pier'></noscript>"
    assert html_text(f"<p>{SENTENCE}</p>{late}<p>The end.</p>").count("The old pier") == 1
