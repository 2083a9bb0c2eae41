"""The examples of docs/analysis.md are run as they are shown, over tables that were seeded.

What belongs here: the examples. What does not: what each column holds (tests/resources/tables/test_tables_doc).
"""

import re

import duckdb  # the example imports it; here it is named, so that a missing one is noticed at once
import pytest

from tests.support.pipelines import World
from tests.support.seed_process import ROOT

EXAMPLES = re.findall(r"^## (\w+)$.*?^```python\n(.*?)^```$", (ROOT / "docs/analysis.md").read_text(), re.M | re.S)


@pytest.mark.slow
@pytest.mark.parametrize(("library", "code"), EXAMPLES, ids=[library for library, _ in EXAMPLES])
def test_an_example_of_the_page_runs_and_prints_rows(
    library: str, code: str, plain_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """A column that is renamed, or joined by another key, would make the page wrong without a word."""
    shown = '".seedbank/lancedb"'
    assert shown in code
    home = str(plain_world.home / "lancedb")
    exec(compile(code.replace(shown, repr(home)), f"docs/analysis.md: {library}", "exec"), {"__name__": "example"})
    output = capsys.readouterr().out
    assert "documents" in output
    assert re.search(r"topic/1\b", output), output


def test_the_page_has_an_example_for_each_library() -> None:
    assert [library for library, _ in EXAMPLES] == ["pandas", "DuckDB"]
    assert f"import {duckdb.__name__}\n" in EXAMPLES[1][1]
    assert all(len(code.splitlines()) <= 16 for _, code in EXAMPLES)
