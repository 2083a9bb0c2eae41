"""What seeds through a model server are made of: documents, and the environment that names the server.

What belongs here: real documents where they are at hand, made-up ones of their number and size elsewhere. What does not:
assertions.
"""

import random
import shutil
from pathlib import Path

from benchmarks.corpora import corpora_directory
from resources.wire.guarded_http import FORBIDDING

# Never to be found anywhere but in requests.
CANARY = "sk-canary-4f1d9a7c2b"
_SUBJECTS = [
    "rivers",
    "gardens",
    "bridges",
    "lanterns",
    "orchards",
    "harbours",
    "mills",
    "archives",
    "clocks",
    "meadows",
]


def plant(folder: Path, count: int, seed: int = 1, *, short: bool = False) -> Path:
    """A corpus of so many documents: Python's enhancement proposals where the test corpora are, else made-up texts.

    short: always made-up texts, of one to five chunks: for tests of requests, whose number does not depend on their length.
    """
    folder.mkdir(parents=True)
    names = corpora_directory() / "peps" / "subset_212.txt"
    if names.is_file() and not short:
        for name in names.read_text().split()[:count]:
            shutil.copy(names.parent / "docs" / name, folder / name)
        return folder
    chance = random.Random(seed)
    for number in range(count):
        (folder / f"essay-{number:04}.txt").write_text(
            essay(number, chance.randrange(5, 45) if short else chance.randrange(20, 400))
        )
    return folder


def essay(number: int, sentences: int) -> str:
    """A made-up text, unlike any of another number."""
    chance = random.Random(number)
    return " ".join(
        f"In note {number}.{line} the {chance.choice(_SUBJECTS)} near station {chance.randrange(999)} were measured "
        f"{chance.randrange(2, 90)} times before anybody wrote it down."
        for line in range(sentences)
    )


def asking(url: str, **more: str) -> dict[str, str]:
    """The environment in which summaries, concepts and vectors are asked of a server. more: names without SEEDBANK_."""
    return {
        FORBIDDING: "loopback",
        "SEEDBANK_LLM__PROVIDER": "openai",
        "SEEDBANK_LLM__BASE_URL": f"{url}/v1",
        "SEEDBANK_LLM__MODEL": "writer-1",
        "SEEDBANK_LLM__API_KEY": CANARY,
        "SEEDBANK_LLM__RPM": "0",
        "SEEDBANK_LLM__IN_FLIGHT": "16",
        "SEEDBANK_EMBEDDINGS__PROVIDER": "openai",
        "SEEDBANK_EMBEDDINGS__BASE_URL": f"{url}/v1",
        "SEEDBANK_EMBEDDINGS__MODEL": "vectors-1",
        "SEEDBANK_EMBEDDINGS__DIMENSIONS": "64",
        "SEEDBANK_EMBEDDINGS__API_KEY": CANARY,
        "SEEDBANK_EMBEDDINGS__RPM": "0",
        **{f"SEEDBANK_{name}": value for name, value in more.items()},
    }
