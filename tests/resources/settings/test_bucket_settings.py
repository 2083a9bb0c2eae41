"""A corpus whose setting is the address of a bucket."""

import json
from pathlib import Path

import pytest

from resources.corpus.corpus_place import BucketAddress
from resources.errors import ConfigurationError
from resources.home.home import Home
from resources.settings.assignments import settings_with
from resources.settings.config import load_settings

PAPERS = BucketAddress("s3://papers/2026")


def test_an_address_in_the_file_is_no_path_relative_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "seedbank.toml").write_text('corpus = "s3://papers/2026/"\nhome = "home"\n')
    monkeypatch.setenv("SEEDBANK_CONFIG", str(tmp_path / "seedbank.toml"))
    settings = load_settings()
    assert (settings.corpus, settings.home) == (PAPERS, tmp_path / "home")
    assert settings_with(settings, ["chunks.characters=500"]).corpus == PAPERS


def test_settings_with_a_bucket_can_be_written_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory of large plans compares them so."""
    monkeypatch.setenv("SEEDBANK_CORPUS", str(PAPERS))
    settings = load_settings()
    assert json.loads(settings.model_dump_json())["corpus"] == str(PAPERS)
    assert settings.model_copy().corpus == PAPERS == settings.model_dump()["corpus"]


def test_a_home_remembers_its_bucket_and_refuses_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "home")
    home.bind(PAPERS)
    monkeypatch.setenv("SEEDBANK_HOME", str(home.directory))
    assert load_settings().corpus == PAPERS
    for other in (BucketAddress("s3://papers/2025"), tmp_path):
        with pytest.raises(ConfigurationError, match="belongs to the corpus s3://papers/2026"):
            home.check(other)
    home.bind(tmp_path, rebind=True)
    assert home.bound_corpus() == tmp_path


def test_credentials_in_an_address_are_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDBANK_CORPUS", "s3://key:hidden@papers/2026")
    with pytest.raises(ConfigurationError, match="credentials come from the environment") as caught:
        load_settings()
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("text", ["123", "a folder", "[1]"])
def test_any_other_text_is_a_folder(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBANK_CORPUS", text)
    assert load_settings().corpus == tmp_path / text
