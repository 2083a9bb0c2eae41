"""`seedbank forget` that is killed: nothing half erased is used, and the next call goes on to the end."""

import shutil
from pathlib import Path

import pytest

from tests.support.canaries import canaries
from tests.support.pipelines import essay
from tests.support.seed_process import Finished, Seed, seedbank

pytestmark = [pytest.mark.integration, pytest.mark.long]

CANARY = "zqvx"
NAME = f"notes/{CANARY}file.md"
TEXT = f"# The {CANARY}title\n\n{essay(f'{CANARY}text', 2)}\n"
# Seconds after the start of the command; it needs about two before it begins to erase.
MOMENTS = (1.2, 1.8, 2.2, 2.6, 3.0, 3.5, 4.0, 5.0)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose document has left the corpus; no seed has run since."""
    folder = tmp_path_factory.mktemp("kill")
    for name in ("a.md", "b.txt", "c.md", "d.md"):
        path = folder / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(essay(path.stem, 2))
    path = folder / "corpus" / NAME
    path.parent.mkdir()
    path.write_text(TEXT)
    done = command(folder / "home", folder, "seed")
    assert done.status == 0, done.printed()
    asked = command(folder / "home", folder, "ask", f"What does the note say of {CANARY}text?")
    assert asked.status == 0, asked.printed()
    path.unlink()
    return folder


def command(home: Path, folder: Path, *words: str) -> Finished:
    return seedbank(home, *words, environment={"SEEDBANK_CORPUS": str(folder / "corpus")})


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_erasure_goes_on(seeded: Path, tmp_path: Path, moment: float) -> None:
    home = tmp_path / "home"
    shutil.copytree(seeded / "home", home)
    words = ("forget", NAME, "--yes", "--json")
    with Seed(home, *words, environment={"SEEDBANK_CORPUS": str(seeded / "corpus")}) as erasing:
        erasing.wait_for(moment)
        erasing.kill()
    status = command(home, seeded, "status", "--json")
    assert status.status == 0, status.printed()
    again = command(home, seeded, *words)
    # If it had come to its end, nothing is known of the document any more.
    assert again.status in (0, 2), again.printed()
    assert canaries(home, CANARY) == set()
    after = command(home, seeded, "seed", "--json")
    assert after.status == 0, after.printed()
    alone = {"extracted_text", "chunks", "embeddings", "summaries", "concepts", "judgements"}
    assert after.computed.keys().isdisjoint(alone)
    assert command(home, seeded, "cache", "verify").status == 0
