"""Seeds with extractions of the settings, through a model server that answers them from the headers of documents.

What belongs here: documents, settings, answers, and commands over them. What does not: assertions.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.model_answers import Call, fitting_answer
from tests.support.model_corpus import asking
from tests.support.model_server import ModelServer
from tests.support.seed_process import PLAIN, Finished, seed, seedbank

PROPOSALS = """
[extract.proposals]
prompt = "proposals.txt"
quotes = true

[extract.proposals.fields]
author = "list of text"
status = ["Draft", "Final", "Withdrawn"]
supersedes = "list of integer"
"""
_DOCUMENT = re.compile(r"<document>\n(.*?)\n</document>", re.DOTALL)
_GIVEN = re.compile(r'<value of="([^"\n]*)">\n(.*?)\n</value>', re.DOTALL)


def proposal(number: int, **headers: str) -> str:
    """A document with headers such as those of Python's enhancement proposals."""
    lines = [f"{name.capitalize()}: {value}" for name, value in headers.items()]
    return "\n".join(
        [f"Title: Proposal {number}", *lines, "", f"The proposal {number} says what is to be done about it. " * 8]
    )


def properties(call: Call) -> dict[str, Any]:
    """The schema of the fields that a call asks for; empty if it asks for no extraction."""
    schema = call.schema
    if schema is None or not call.body["response_format"]["json_schema"]["name"].startswith("extraction"):
        return {}
    found = schema["properties"]
    return found["rows"]["items"]["properties"] if found.keys() == {"rows"} else found


def given_to(call: Call) -> dict[str, str]:
    """The values of other extractions that a call shows."""
    return {name: value for text in call.texts() for name, value in _GIVEN.findall(text)}


def header_answer(call: Call) -> str:
    """What a model could answer: an extraction has the headers of the document under the names of the fields."""
    fields = properties(call)
    if not fields:
        return fitting_answer(call)
    shown = [text for said in call.texts() for text in _DOCUMENT.findall(said)]
    text = shown[-1] if shown else "\n".join(f"{name}: {value}" for name, value in given_to(call).items())
    if "rows" in (call.schema or {})["properties"]:
        rows = [
            _row(fields, line) for line in text.split("\n") if any(line.startswith(f"{one}:") for one in _names(fields))
        ]
        return json.dumps({"rows": rows})
    return json.dumps(_row(fields, text))


def _names(fields: Mapping[str, Any]) -> list[str]:
    return [name.capitalize() for name in fields]


def _row(fields: Mapping[str, Any], text: str) -> dict[str, Any]:
    return {name: _found(schema, name, text) for name, schema in fields.items()}


def _found(schema: Mapping[str, Any], name: str, text: str) -> Any:
    line = re.search(rf"^{name.capitalize()}: *(.*)$", text, re.MULTILINE)
    if schema.get("type") == "array":
        parts = [part.strip() for part in line[1].split(",")] if line else []
        return [_item(schema["items"], part, part) for part in parts if part]
    if line is None:
        # A reply to values that were given repeats them.
        said = " and ".join(value for _, value in re.findall(r"^(\S+): (.*)$", text, re.MULTILINE))
        return said if name == "reply" else None
    return _item(next(iter(schema.get("anyOf", [schema]))), line[1], line[0])


def _item(schema: Mapping[str, Any], value: str, quote: str) -> Any:
    parts = schema.get("properties")
    if parts is None:
        return int(value) if "integer" in schema["type"] else value
    number = re.match(r"[\d.]+", value)
    known = {
        "quote": quote,
        "value": float(number[0]) if number and "unit" in parts else value,
        "unit": value.removeprefix(number[0]).strip() if number else None,
    }
    if "value" in parts and "integer" in parts["value"]["type"]:
        known["value"] = int(value)
    return {name: known.get(name, value) for name in parts}


class Extracting:
    """A corpus, a home and a seedbank.toml in one folder, with a model server."""

    def __init__(self, folder: Path, server: ModelServer, toml: str = PROPOSALS) -> None:
        self.server = server
        self.corpus, self.home, self.folder = folder / "corpus", folder / "home", folder
        self.corpus.mkdir()
        self.configure(toml)
        self.prompt(
            "proposals.txt", "Find who wrote the proposal, its status, and the numbers of those that it supersedes."
        )

    def configure(self, toml: str) -> None:
        """Replace the settings."""
        (self.folder / "seedbank.toml").write_text(toml)

    def prompt(self, name: str, text: str) -> None:
        """Write a file beside the settings."""
        (self.folder / name).write_text(text)

    def write(self, name: str, text: str) -> None:
        """Put a document into the corpus."""
        (self.corpus / name).write_text(text)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of commands. more: names without SEEDBANK_."""
        # Vectors are made here, so that a changed prompt is the only reason to ask.
        found = {name: value for name, value in asking(self.server.url, **more).items() if "EMBEDDINGS" not in name}
        return {"SEEDBANK_CONFIG": str(self.folder / "seedbank.toml"), **found}

    def seed(self, *arguments: str, **options: Any) -> Finished:
        """Run `seedbank seed --json`."""
        options = {"environment": self.environment(), "program": PLAIN, **options}
        return seed(self.home, self.corpus, *arguments, **options)

    def run(self, *arguments: str, **options: Any) -> Finished:
        """Run another command."""
        options = {
            "environment": self.environment(CORPUS=str(self.corpus)),
            **options,
        }
        return seedbank(self.home, *arguments, **{"program": PLAIN, **options})

    def asked(self, since: int = 0) -> tuple[int, int]:
        """How many requests came for extractions, and how many for anything else, after the first so many."""
        calls = self.server.calls[since:]
        of_extractions = sum(bool(properties(call)) for call in calls)
        return of_extractions, len(calls) - of_extractions
