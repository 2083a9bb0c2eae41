"""Which blocks are the text of a page: what trafilatura finds, and all that it lost."""

import pytest

from seed_assets.core.reading.html.block import Block, Kind
from seed_assets.core.reading.html.main_text import Vote, main_blocks, usual_blocks, words_of
from tests.support.html_pages import LONG, SENTENCE, html_text

# Twelve words each, too few to be taken for themselves; no two lines have a word in common.
WORDS = ["north", "south", "east", "west", "wind", "tide", "rope", "mast", "sail", "oar", "hull", "keel"]
LINES = [" ".join(f"{word}{number}" for word in WORDS) for number in range(30)]


def texts(names: str) -> list[Block]:
    """A block of twelve words for each letter: `m` in the main text, `x` margin, `l` a link, `h` a heading, `.` any other."""
    made = []
    for number, name in enumerate(names):
        text = LINES[number]
        block = Block(
            Kind.HEADING if name == "h" else Kind.TEXT, text, in_main=name in "mh", margin=name == "x", level=2
        )
        block.linked = len(text) if name == "l" else 0
        made.append(block)
    return made


def taken(names: str, voted: str) -> str:
    """Which blocks are taken (`+`) if trafilatura found those marked `+`."""
    blocks = texts(names)
    vote = Vote("\n".join(block.text for block, mark in zip(blocks, voted, strict=True) if mark == "+"))
    found = {id(block) for block in main_blocks(blocks, vote)}
    return "".join("+" if id(block) in found else "-" for block in blocks)


def test_blocks_that_were_found_are_taken_and_others_are_not():
    assert taken("......" * 3, "-" * 6 + "+" * 12) == "-" * 6 + "+" * 12


@pytest.mark.parametrize(
    ("names", "voted", "read"),
    [
        ("m" * 15, "+" * 5 + "-" * 5 + "+" * 5, "+" * 5 + "-" * 5 + "+" * 5),
        ("." * 15, "+" * 5 + "-" * 5 + "+" * 5, "+" * 5 + "-" * 5 + "+" * 5),
        ("m" * 15, "+" * 6 + "-" * 3 + "+" * 6, "+" * 15),
        ("." * 15, "+" * 6 + "-" * 3 + "+" * 6, "+" * 15),
        ("." * 6 + ".l." + "." * 6, "+" * 6 + "---" + "+" * 6, "+" * 6 + "+-+" + "+" * 6),
        ("." * 6 + ".x." + "." * 6, "+" * 6 + "---" + "+" * 6, "+" * 6 + "+-+" + "+" * 6),
        ("h" + "." * 14, "-" + "+" * 14, "+" * 15),
        ("." * 14 + "h", "+" * 14 + "-", "+" * 14 + "-"),
    ],
)
def test_gaps_are_filled(names: str, voted: str, read: str):
    assert taken(names, voted) == read


def test_a_short_page_is_read_as_a_whole():
    assert taken("x...l", "-+---") == "-++++"


def test_what_seemed_the_margin_is_read_if_it_is_what_was_found():
    assert taken("x" * 12 + ".", "+" * 12 + "-").startswith("+" * 12)


def test_everything_is_read_if_there_is_only_margin():
    assert len(usual_blocks(texts("xxx"))) == 3


def test_a_long_paragraph_code_or_table_is_never_lost():
    """A reading that lost most of another must not be chosen."""
    blocks = texts("." * 16)
    long = Block(Kind.TEXT, " ".join(f"word{number}" for number in range(40)))
    code = Block(Kind.CODE, "a = 1")
    found = main_blocks([long, *blocks[:8], *blocks[8:], code], Vote("\n".join(block.text for block in blocks[4:6])))
    assert long in found
    assert code in found


def test_teasers_of_other_pages_are_not_taken():
    teaser = [Block(Kind.HEADING, "Other", linked=5, level=3), Block(Kind.TEXT, f"{SENTENCE} {SENTENCE}")]
    blocks = texts("." * 16)
    found = main_blocks([*blocks, *teaser, *teaser], Vote("\n".join(block.text for block in blocks)))
    assert found == blocks


def test_runs_of_words_are_compared_whatever_the_writing():
    vote = Vote("海は静かで船は出た。\nThe Ferry, late; left")
    assert vote.share(words_of("船は出た")) == 1
    assert vote.share(words_of("the ferry late")) == 1
    assert vote.share(words_of("ferry")) == 0
    assert Vote("Ferry\nother").share(words_of("ferry")) == 1


@pytest.mark.parametrize("lost", ["<pre>ferry --now</pre>", "<table><tr><td>a<td>b</table>", "<ul><li>Rope</li></ul>"])
def test_what_trafilatura_loses_inside_the_text_is_read(lost: str):
    text = html_text(f"<div>{LONG}{lost}{LONG}</div>")
    assert any(mark in text for mark in ("ferry --now", "| a | b |", "- Rope"))


def test_a_page_read_by_two_processes_is_equal_whatever_was_read_before():
    """trafilatura can drop paragraphs that it met in earlier documents of the same process."""
    assert html_text(LONG) == html_text(LONG)
