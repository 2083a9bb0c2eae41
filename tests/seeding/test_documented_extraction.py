"""The extraction of docs/extending.md, as it stands on the page."""

import re
from pathlib import Path

import lancedb
import pytest

from tests.support.extracting import Extracting, header_answer, proposal
from tests.support.model_server import ModelServer
from tests.support.seed_process import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.long]

_SECTION = re.compile(r"^## An extraction in ten lines\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_extraction_of_the_page_fills_its_table(tmp_path: Path) -> None:
    """What users copy from the page has to work, and has to be as short as it says."""
    section = _SECTION.search((ROOT / "docs" / "extending.md").read_text())
    assert section is not None
    blocks = dict(_BLOCK.findall(section[1]))
    assert len(blocks["toml"].splitlines()) <= 10
    with ModelServer(answer=header_answer) as server:
        world = Extracting(tmp_path, server, blocks["toml"])
        world.prompt("contracts.txt", blocks["text"])
        world.write("a.txt", proposal(1, parties="ACME, Ada Byron", signed="2024-03-09", kind="lease", price="2.5 T€"))
        done = world.seed("--stages", "lance_contracts")
        assert done.status == 0, done.printed()
    (row,) = lancedb.connect(world.home / "lancedb").open_table("contracts").to_arrow().to_pylist()
    assert (row["parties"], row["signed"], row["kind"], row["price"]) == (
        ["ACME", "Ada Byron"],
        "2024-03-09",
        "lease",
        2500.0,
    )
    assert row["signed_quote"] == "Signed: 2024-03-09"
