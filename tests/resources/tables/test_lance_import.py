"""LanceDB is imported without the classes of remote catalogues, and does all that it does otherwise."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from resources.tables.lance_import import import_lancedb

lancedb = import_lancedb()
assert not [name for name in sys.modules if name.startswith("lance_namespace_urllib3_client")]
assert import_lancedb() is lancedb
import lancedb.db
import lancedb.namespace

made = lancedb.db.CreateNamespaceResponse(properties={"a": "b"})
from lance_namespace_urllib3_client.models import CreateNamespaceResponse

assert isinstance(made, CreateNamespaceResponse) and made.properties == {"a": "b"}
table = lancedb.connect(sys.argv[1]).create_table("t", [{"a": 1}])
assert table.search().to_list() == [{"a": 1}]
"""


@pytest.mark.integration
@pytest.mark.slow
def test_what_was_left_out_is_there_when_it_is_needed(tmp_path: object) -> None:
    """It took half of the time of `seedbank search`. A program that uses LanceDB's catalogues as well must not notice."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
