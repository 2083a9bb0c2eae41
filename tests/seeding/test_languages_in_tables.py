"""The language of each document in the table `documents`. How a language is known is tested in tests/core/text."""

import pytest

from tests.support.pipelines import World

TEXTS = {
    "english.md": "The gate of the harbour is closed when the tide is high, and it is opened again as soon as the water falls.",
    "german.txt": "Das Tor des Hafens wird geschlossen, wenn die Flut hoch ist, und es wird wieder geöffnet, sobald das Wasser "
    "fällt.",
    "japanese.txt": "港の門は満潮のときに閉じられ、水が引くとすぐにまた開かれます。",
    "fields.txt": "Title: The gate of the harbour\nSubject: the tide and the water\n\nCuando la marea es alta, la puerta del "
    "puerto se cierra, y se abre de nuevo en cuanto baja el agua.\n",
    "numbers.txt": "17 23 42\n99 14 27\n",
}


@pytest.mark.slow
def test_each_document_has_its_language_and_none_if_it_is_not_known(plain_world: World) -> None:
    for name, text in TEXTS.items():
        plain_world.write(name, text)
    assert plain_world.seed().report.exit_code == 0
    found = {row["document_id"]: row["language"] for row in plain_world.rows("documents")}
    assert {name: found[name] for name in TEXTS} == {
        "english.md": "en",
        "german.txt": "de",
        "japanese.txt": "ja",
        "fields.txt": "es",
        "numbers.txt": None,
    }
