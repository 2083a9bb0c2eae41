"""What is left out of a page: for what it is, and never for the name of a class alone."""

import pytest

from tests.support.html_pages import LONG, SENTENCE, html_text


@pytest.mark.parametrize("body", [f"<p>{SENTENCE}</p>", LONG], ids=["short", "long"])
@pytest.mark.parametrize(
    "names",
    [
        "has-sidebar", "content-sidebar-wrap", "no-share", "with-navigation", "sidebar", "page footer-fixed", "nav-open",
        "social", "ad-free", "menu", "cookies-accepted", "related", "mw-menu-wrapper newsletter", "c-toggler--navigation",
        "MathJax", "katex", "tags",
    ],
)  # fmt: skip
@pytest.mark.parametrize("tag", ["div", "section", "table"])
@pytest.mark.slow
def test_no_name_of_a_wrapper_loses_the_page(tag: str, names: str, body: str):
    """A list of words in class names dropped every wrapper that had one of them, with everything in it."""
    inner = f"<tr><td>{body}</td></tr>" if tag == "table" else body
    text = html_text(f'<{tag} class="{names}" id="{names.split()[0]}">{inner}</{tag}>')
    assert (SENTENCE if SENTENCE in body else "Log 23 of the ferry names 69 passengers") in text


@pytest.mark.parametrize(
    "opening",
    ["<nav>", "<footer>", "<aside>", "<header>", "<div role=navigation>", "<div role=dialog>", "<div role=img>"],
)
def test_no_element_that_holds_the_page_loses_it(opening: str):
    assert "Log 23 of the ferry" in html_text(f"{opening}{LONG}</{opening[1:].split()[0].rstrip('>')}>")


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ("share price", "The share costs 41 crowns."),
        ("cookies", "Bake the cookies for nine minutes."),
        ("social history", "The guild was founded in 1611."),
        ("menu", "Herring with dill, and rye bread."),
        ("ad", "In the year 79 the mountain woke."),
    ],
)
def test_a_small_block_is_not_lost_for_its_name(names: str, text: str):
    body = f'<p>{SENTENCE}</p><div class="{names}"><h2>About it</h2><p>{text}</p></div>'
    assert text in html_text(body)


MENU = '<ul class="nav"><li><a href="/">Home</a></li><li><a href="/a">Archive</a></li><li><a href="/c">Contact</a></li></ul>'


@pytest.mark.parametrize("body", [f"<p>{SENTENCE}</p>" * 3, LONG], ids=["short", "long"])
@pytest.mark.parametrize(
    ("extra", "word"),
    [
        (MENU, "Archive"),
        (f"<nav>{MENU}</nav>", "Archive"),
        (f"<header role=banner>{MENU}</header>", "Archive"),
        ("<footer><p>Made by the harbour office.</p></footer>", "harbour office"),
        ('<div id="footer">© 2020 Harbour office</div>', "Harbour office"),
        ('<div class="cookie-consent"><p>We use cookies to count visits.</p><button>Accept</button></div>', "visits"),
        ('<div role="dialog" aria-modal="true"><p>Join our list.</p></div>', "Join our list"),
        ('<div class="share"><a href="t">Twitter</a> <a href="f">Facebook</a></div>', "Facebook"),
        ("<p hidden>Only for robots.</p>", "robots"),
        ('<div style="color: red; display: none">Only for robots.</div>', "robots"),
        ("<dialog><p>Closed at first.</p></dialog>", "Closed"),
        ("<template><p>A row of {{name}}.</p></template>", "row of"),
        ("<select><option>Norway</option><option>Peru</option></select>", "Peru"),
        ("<form><button>Send it</button></form>", "Send it"),
    ],
)
def test_what_is_beside_the_text_is_left_out(body: str, extra: str, word: str):
    assert word not in html_text(f"{extra}{body}")
    assert word not in html_text(f"{body}{extra}")


@pytest.mark.parametrize(
    "panel",
    [
        '<a href="#more">More</a><div id="more" style="display:none"><p>{}</p></div>',
        '<button aria-controls="more" aria-expanded="false">More</button><div id="more" hidden><p>{}</p></div>',
        '<button data-bs-target="#more">More</button><div id="more" style="display:none"><p>{}</p></div>',
        '<div role="tabpanel" hidden><p>{}</p></div>',
        '<p hidden="until-found">{}</p>',
        "<dialog open><p>{}</p></dialog>",
        '<ferry-log><template shadowrootmode="open"><p>{}</p></template></ferry-log>',
    ],
)
def test_what_a_click_shows_is_text(panel: str):
    assert "The old timetable is void." in html_text(f"<p>{SENTENCE}</p>" + panel.format("The old timetable is void."))


@pytest.mark.parametrize("hiding", ['style="display:none"', "hidden", 'style="visibility:hidden"'])
def test_a_page_that_a_script_displays_is_read(hiding: str):
    assert SENTENCE in html_text(f"<p>Loading</p><div {hiding}><p>{SENTENCE}</p></div>")


def test_a_list_of_links_that_is_the_page_is_read():
    body = "<h1>Sources</h1><ul><li><a href=a>Tide tables</a></li><li><a href=b>Charts of the sound</a></li></ul>"
    assert html_text(body) == "# Sources\n\n- Tide tables\n- Charts of the sound"


def test_a_menu_that_is_longer_than_the_page_is_left_out():
    links = "".join(f"<li><a href='{number}'>Entry {number} of a long menu</a></li>" for number in range(9))
    assert html_text(f"<nav><ul>{links}</ul></nav><main><h1>Gate</h1><p>It opens.</p></main>") == "# Gate\n\nIt opens."
