"""`seedbank forget` with documents: nothing of them is left in the home, and other documents lose nothing."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from answering.answers import Reply
from answering.asked import Asked
from io_managers.sharing.segments.signatures import SigningKey, public_text
from tests.support.canaries import canaries
from tests.support.model_answers import Call
from tests.support.model_corpus import asking
from tests.support.model_faults import Fault, WrongSchema, always
from tests.support.model_server import ModelServer
from tests.support.own_modules import COUNTING
from tests.support.pipelines import essay
from tests.support.seed_process import Finished, query, seedbank

pytestmark = [pytest.mark.integration, pytest.mark.long]

# A part of all words by which the document is recognised: it is in no other text.
CANARY = "zqvx"
NAME = "notes/Zqvxfile of bees.md"
TEXT = """---
title: The zqvxtitle of honey
author: Zqvxauthor Miller
tags: [zqvxtag, honey]
---
# The zqvxtitle of honey

The zqvxtext was written by Dr. Zqvxperson Smith of Zqvxcompany Ltd. in the honey house. Honey bees make honey from nectar, and
the zqvxtext describes how the waggle dance tells other bees where the flowers are.

The second paragraph of the zqvxtext says that bees are social insects, which live in colonies, and that it keeps records.
"""
KEY = SigningKey.parse("secret:" + "07" * 32)
TOML = """
[extract.proposals]
prompt = "proposals.txt"
quotes = true
[extract.proposals.fields]
subject = "text"
"""


class Erasing:
    """A corpus with one document that holds canaries, a home with everything switched on, and its remote."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.server, self.folder = server, folder
        self.corpus, self.home, self.remote = folder / "corpus", folder / "home", folder / "remote"
        self.remote.mkdir()
        (folder / "seedbank.toml").write_text(TOML + '[stages]\nmodules = ["counting"]\n')
        (folder / "counting.py").write_text(COUNTING)
        (folder / "proposals.txt").write_text("Find the subject of the text.")
        for name in (
            "bees/hives.md",
            "bees/flowers.md",
            "bees/wax.md",
            "rails/points.md",
            "rails/signals.txt",
            "reefs/fish.txt",
        ):
            about = Path(name).stem
            tags = "---\ntags: [honey]\n---\n" if name.startswith("bees/") else ""
            self.write(name, f"{tags}# About {about}\n\n{essay(about, 2)} Dr. Anna Weber of Acme Ltd. said so.")
        self.write(NAME, TEXT)

    def write(self, name: str, text: str) -> None:
        """Put a document into the corpus."""
        path = self.corpus / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of all commands."""
        return asking(
            self.server.url,
            CONFIG=str(self.folder / "seedbank.toml"),
            CORPUS=str(self.corpus),
            ENTITIES__ENABLED="true",
            CLUSTERS__TYPES='["topic", "concept", "field:tags"]',
            STORE__REMOTE=str(self.remote),
            STORE__SIGNING_KEY=KEY.text,
        )

    def run(self, *words: str) -> Finished:
        """A command, with Dagster."""
        return seedbank(self.home, *words, environment=self.environment)

    def seed(self, *words: str) -> Finished:
        """A seed, which has to succeed."""
        done = self.run("seed", "--json", *words)
        assert done.status == 0, done.printed()
        return done

    def converse(self) -> str:
        """A conversation with one answer from the document and one that was asked after it; its id."""
        asked = Asked(self.home / "asked" / "asked.db")
        session = asked.begin()
        for question in ("What does the zqvxtext say of the waggle dance?", "And who wrote it?"):
            answered = self.run("ask", question, "--json")
            assert answered.status == 0, answered.printed()
            asked.add(session, msgspec.json.decode(answered.output, type=Reply))
        asked.close()
        return session

    def left(self) -> set[str]:
        """Where anything of the document is still found."""
        found = canaries(self.home, CANARY, public_text(KEY.public))
        return found | {f"remote: {one}" for one in canaries(self.remote, CANARY, public_text(KEY.public))}


def wrong(call: Call, earlier: int) -> Fault | None:
    """No summary of the document is of any use, so that replies and reasons are kept of what never became a result."""
    about = call.is_chat and any(CANARY in text.lower() for text in call.texts())
    return WrongSchema() if about and "summary" in ((call.schema or {}).get("properties") or {}) else None


@pytest.fixture
def erasing(tmp_path: Path) -> Iterator[Erasing]:
    with ModelServer(dimensions=64) as server:
        yield Erasing(tmp_path, server)


def test_nothing_of_a_document_is_left_and_the_others_are_not_paid_again(erasing: Erasing) -> None:
    """A store that keeps a text in a free page, an old version or a log has not forgotten it."""
    erasing.server.script = wrong
    assert erasing.run("seed", "--json").status == 1
    erasing.server.script = always(None)
    erasing.write(NAME, TEXT.replace("honey house", "honey house of zqvxtown"))
    erasing.seed("--retry-failed")
    erasing.converse()
    decided = "same,Anna Weber,,A. Weber,\n"
    decisions = erasing.home / "entity-decisions.csv"
    columns = "decision,name,document,other,other_document\n"
    decisions.write_text(f"{columns}different,Zqvxperson Smith,{NAME},Anna Weber,bees/hives.md\n{decided}")
    assert erasing.run("report").status == 0
    before = erasing.left()
    places = (
        "store/store.db",
        "store/remote.db",
        "asked/",
        "dagster/",
        "lancedb/chunks.lance",
        "report.html",
        "remote: ",
    )
    assert [place for place in places if not any(place in found for found in before)] == [], before

    looked = erasing.run("forget", NAME, "--dry-run", "--json")
    assert looked.status == 0, looked.printed()
    assert looked.report["in_corpus"] == [NAME]
    assert looked.report["computed_again"]["cluster_summaries"]["requests"] > 0
    assert erasing.left() == before

    (erasing.corpus / NAME).unlink()
    refused = erasing.run("forget", NAME)
    assert refused.status == 2
    assert "--yes" in refused.errors
    done = erasing.run("forget", NAME, "--yes", "--json")
    assert done.status == 0, done.printed()
    assert erasing.left() == set()
    assert decisions.read_text() == columns + decided
    assert done.report["erased"]["results"] == looked.report["erased"]["results"]

    asked = len(erasing.server.calls)
    after = erasing.seed()
    alone = {
        "extracted_text",
        "summaries",
        "concepts",
        "embeddings",
        "judgements",
        "entities",
        "proposals",
        "word_count",
    }
    assert {name: count for name, count in after.computed.items() if name in alone} == {}
    again = [call for call in erasing.server.calls[asked:] if call.is_chat]
    assert len(again) <= looked.report["computed_again"]["cluster_summaries"]["requests"] * 4
    assert erasing.seed().report["runs"] == []
    assert erasing.run("cache", "verify").status == 0
    assert erasing.run("check").status == 0
    assert erasing.left() == set()


def test_a_document_that_left_the_corpus_before_leaves_nothing_to_do(erasing: Erasing) -> None:
    """What was computed since is not made of it, and the next seed starts no run and sends no request."""
    erasing.seed()
    (erasing.corpus / NAME).unlink()
    erasing.seed()
    assert erasing.left()
    done = erasing.run("forget", NAME, "--yes", "--json")
    assert done.status == 0, done.printed()
    assert erasing.left() == set()
    asked = len(erasing.server.calls)
    assert erasing.seed().report["runs"] == []
    assert len(erasing.server.calls) == asked


def test_what_a_copy_has_as_well_stays_and_is_named(erasing: Erasing) -> None:
    erasing.write("notes/copy.md", TEXT)
    erasing.seed()
    (erasing.corpus / NAME).unlink()
    done = erasing.run("forget", NAME, "--yes", "--json")
    assert done.status == 0, done.printed()
    assert done.report["shared"]["notes/copy.md"] > 0
    file_name = canaries(erasing.home, "zqvxfile", public_text(KEY.public))
    assert file_name == set()
    asked = len(erasing.server.calls)
    after = erasing.seed()
    assert after.computed.keys().isdisjoint({"extracted_text", "summaries", "embeddings"})
    assert json.dumps(after.report["failures"]) == "[]"
    assert (
        query(erasing.home / "store" / "store.db", "SELECT count(*) FROM refs WHERE partition = 'notes/copy.md'")[0][0]
        > 8
    )
    assert os.path.exists(erasing.corpus / "notes" / "copy.md")
    assert len(erasing.server.calls) >= asked
