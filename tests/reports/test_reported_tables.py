"""Tables of stages that the settings add, in the report: rows by document, in order, of limited number and length, and as text.

What belongs here: extractions and modules of users. What does not: everything else on the page (test_report).
"""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from seed_assets.reports.knowledge_report import knowledge_report
from seed_assets.reports.report_page import report_page
from seed_assets.reports.reported_tables import MOST_ROWS
from tests.support.extracting import Extracting, header_answer, proposal
from tests.support.model_server import ModelServer
from tests.support.own_modules import COUNTING, OwnModules, own_modules_in
from tests.support.pipelines import World

pytestmark = pytest.mark.slow
EVIL = "<img src=x onerror=alert(1)>\\x1b[31m\\u202e"
WORDS = f'''
from typing import Any

from seedbank.stages import Column, ExtractedText, document_rows, document_table, sink_stage, value_stage

TABLE = document_table(
    "words",
    Column("word", "string", "the word & its <place>"),
    Column("place", "int64", "the place"),
    Column("share", "float64", "the share", nullable=True),
    Column("lists", "list<string>", "more", nullable=True),
    Column("first", "bool", "whether"),
    Column("hidden", "string", "", reported=False),
    rows="one row a word",
)


@value_stage(version="1", preview=lambda found: "{EVIL}" + " word" * 500)
async def words(extracted_text: ExtractedText) -> list[str]:
    """One partition: the words of one document."""
    return (extracted_text.text.split() * 100)[:120] if extracted_text.text else []


@sink_stage(version="1", table=TABLE)
def lance_words(document_id: str, content_digest: str, words: list[str]) -> list[dict[str, Any]]:
    """One partition: the rows of one document."""
    rows = [
        {{
            "word": "{EVIL}" if place == 3 else word + "x" * 1000 * (place == 5),
            "place": 1000 + place,
            "share": None if place else 0.125,
            "lists": None if place else ["a", "b"],
            "first": not place,
            "hidden": "unreported",
        }}
        for place, word in enumerate(words)
    ]
    return document_rows(document_id, content_digest, rows)
'''


class Tables(HTMLParser):
    """The cells of each table of a page, by the id of the heading above it; and the links in them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.links: list[str] = []
        self._heading, self._in_cell = "", False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        if tag == "h2":
            self._heading = own.get("id") or ""
        rows = self.tables.setdefault(self._heading, [])
        if tag == "tr":
            rows.append([])
        elif tag in ("td", "th"):
            rows[-1].append("")
        elif tag == "a" and self._in_cell:
            self.links.append(own.get("href") or "")
        self._in_cell = tag in ("td", "th") or (self._in_cell and tag == "a")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.tables[self._heading][-1][-1] += data


@pytest.fixture
def modules(tmp_path: Path, own_environment: None) -> Iterator[OwnModules]:
    yield from own_modules_in(tmp_path / "mine")


def named(world: World, modules: OwnModules, **texts: str) -> World:
    """The world with these modules, seeded."""
    for name, text in texts.items():
        modules.write(name, text)
    world.settings = modules.settings(*texts)
    world.seed()
    return world


def page_of(world: World) -> str:
    with world.session() as session:
        return report_page(knowledge_report(session))


def test_rows_of_a_module_are_shown_by_document_in_order_and_of_limited_number(
    plain_world: World, modules: OwnModules
) -> None:
    world = named(plain_world, modules, my_words=WORDS)
    with world.session() as session:
        found = knowledge_report(session)
    (table,) = found.tables
    assert (table.name, table.declared_in, table.about) == ("words", "module my_words", "one row a word")
    assert [column.name for column in table.columns] == ["word", "place", "share", "lists", "first"]
    documents = sorted(found.documents)
    assert (len(table.rows), table.count) == (MOST_ROWS, 120 * len(documents))
    assert [owner for owner, _ in table.rows] == [name for name in documents[:3] for _ in range(120)][:MOST_ROWS]
    assert [cells[1] for _, cells in table.rows[:120]] == [str(1000 + place) for place in range(120)]
    assert [cells[2:] for _, cells in table.rows[:2]] == [["0.125", "a; b", "yes"], ["", "", "no"]]
    assert all(len(cell) <= 240 for _, cells in table.rows for cell in cells)

    page = report_page(found)
    assert f"The first {MOST_ROWS} of {table.count:,} rows." in page
    shown = Tables(page)
    rows = shown.tables["table-words"]
    assert rows[0] == ["document", "word", "place", "share", "lists", "first"]
    assert rows[1][0] in (documents[0], found.documents[documents[0]].title)
    assert len(rows) == 1 + MOST_ROWS
    assert set(shown.links) >= {f"#d{found.numbers[name]}" for name in documents[:3]}


def test_texts_of_rows_and_of_results_are_no_markup_and_do_not_grow(plain_world: World, modules: OwnModules) -> None:
    page = page_of(named(plain_world, modules, my_words=WORDS))
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 6
    assert 'title="the word &amp; its &lt;place&gt;"' in page
    assert "unreported" not in page
    assert not {*page} & {"\x1b", "\u202e"}
    assert "word " * 100 not in page


def test_several_tables_are_shown_in_the_order_of_the_settings_each_with_a_link(
    plain_world: World, modules: OwnModules
) -> None:
    page = page_of(named(plain_world, modules, my_words=WORDS, my_counts=COUNTING))
    assert page.index('<a href="#table-words">') < page.index('<a href="#table-word_counts">')
    assert page.index('<h2 id="table-words">') < page.index('<h2 id="table-word_counts">')
    counts = Tables(page).tables["table-word_counts"]
    assert counts[0] == ["document", "words"]
    assert len(counts) == 7
    assert "module my_counts: some rows a document. 6 rows." in page


def test_a_table_that_is_missing_or_damaged_says_so_and_the_rest_is_reported(
    plain_world: World, modules: OwnModules
) -> None:
    """A backup on another machine may have no tables; the report must not fail for that."""
    world = named(plain_world, modules, my_words=WORDS, my_counts=COUNTING)
    folder = world.home / "lancedb"
    for path in (folder / "words.lance" / "_versions").iterdir():
        path.write_bytes(b"\0" * path.stat().st_size)
    (folder / "word_counts.lance").rename(folder / "elsewhere")
    with world.session() as session:
        words, counts = knowledge_report(session).tables
    assert "words" in words.problem
    assert words.rows == counts.rows == []
    assert "Run `seedbank seed`" in counts.problem
    assert words.problem.partition("\n")[0][:40] in page_of(world).replace("&#39;", "'")


def test_a_stage_of_a_module_that_has_not_run_has_no_rows_yet(plain_world: World, modules: OwnModules) -> None:
    modules.write("my_words", WORDS)
    plain_world.settings = modules.settings("my_words")
    page = page_of(plain_world)
    assert "Nothing has been written to it yet." in page
    assert Tables(page).tables["table-words"] == []


@pytest.mark.integration
def test_rows_of_an_extraction_are_shown_with_their_quotations_and_without_offsets(tmp_path: Path) -> None:
    with ModelServer(answer=header_answer) as server:
        world = Extracting(tmp_path, server)
        world.write("a.txt", proposal(1, author="Ada Byron, <b>Charles</b>", status="Final"))
        world.write("b.txt", proposal(2, status="Draft", supersedes="1, 7"))
        world.seed()
        assert world.run("report").status == 0
        page = (world.home / "report.html").read_text()
    header, *rows = Tables(page).tables["table-proposals"]
    assert header == ["document", "author", "author_quote", "status", "status_quote", "supersedes", "supersedes_quote"]
    assert [row[1] for row in rows] == ["Ada Byron; <b>Charles</b>", ""]
    assert [row[3] for row in rows] == ["Final", "Draft"]
    assert rows[1][5] == "1; 7"
    assert "Final" in rows[0][4]
    assert "[extract.proposals]: one row a document. 2 rows." in page
