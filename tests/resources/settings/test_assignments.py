"""Settings by name and value, as in `--set llm.model=NAME`: they are read and refused as in the configuration file."""

from pathlib import Path

import pytest

from resources.errors import ConfigurationError
from resources.settings.assignments import settings_with
from resources.settings.config import Settings, load_settings

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings from a file, the environment and arguments."""
    (tmp_path / "seedbank.toml").write_text("[summaries]\nwords = 100\n[concepts]\ncount = 7\n")
    monkeypatch.setenv("SEEDBANK_CONFIG", str(tmp_path / "seedbank.toml"))
    monkeypatch.setenv("SEEDBANK_CHUNKS__OVERLAP", "20")
    return load_settings({"home": tmp_path / "home", "corpus": tmp_path})


def test_an_assignment_wins_and_all_else_stays(given: Settings) -> None:
    found = settings_with(given, ["summaries.words=120", " chunks.characters = 500 "])
    assert (found.summaries.words, found.chunks.characters) == (120, 500)
    assert (found.concepts.count, found.chunks.overlap) == (7, 20)
    assert (found.home, found.corpus) == (given.home, given.corpus)
    assert given.summaries.words == 100


@pytest.mark.parametrize(
    ("assignments", "name", "value"),
    [
        (["llm.provider=openai", "llm.model=gpt-4o"], "model", "gpt-4o"),
        (["llm.provider=openai", "llm.model=4"], "model", "4"),
        (["llm.provider=openai", "llm.model=a=b"], "model", "a=b"),
        (["llm.provider=openai", "llm.model=m", "llm.temperature=0.5"], "temperature", 0.5),
        (["llm.provider=openai", "llm.model=m", "llm.temperature=server"], "temperature", "server"),
        (["llm.provider=openai", "llm.model=m", "llm.parameters={ top_k = 1 }"], "parameters", {"top_k": 1}),
        (["llm.provider=openai", "llm.model=m", "llm.parameters.top_k=2"], "parameters", {"top_k": 2}),
    ],
)
def test_a_value_is_read_as_in_the_file_and_as_text_otherwise(
    assignments: list[str], name: str, value: object, given: Settings
) -> None:
    assert getattr(settings_with(given, assignments).llm, name) == value


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("summaries.word=120", "there is no setting summaries.word (is summaries.words meant?)"),
        (
            "summaries.words=many",
            "summaries.words = 'many' (SEEDBANK_SUMMARIES__WORDS): Input should be a valid integer",
        ),
        (
            "summaries.words=3",
            "summaries.words = 3 (SEEDBANK_SUMMARIES__WORDS): Input should be greater than or equal to 10",
        ),
        ("llm.provider=claude", "llm.provider = 'claude'"),
        ("llm.provider=openai", "provider openai needs a model"),
        ("ocr.enabled=maybe", "ocr.enabled"),
        ("summaries=1", "summaries: a table [summaries] is needed"),
        ("llm.model", "'llm.model' sets nothing. Write the name of a setting and its value: llm.model=NAME."),
        ("=3", "'=3' sets nothing."),
        ("home=/elsewhere", "home cannot be changed here: it decides which documents there are."),
        ("corpus=/elsewhere", "corpus cannot be changed here"),
        ("archives=documents", "archives cannot be changed here"),
    ],
)
def test_a_wrong_assignment_is_refused_with_the_words_of_the_configuration(
    assignment: str, said: str, given: Settings
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        settings_with(given, [assignment])
    assert said in str(raised.value)


def test_a_table_and_a_value_of_one_name_cannot_both_be_set(given: Settings) -> None:
    with pytest.raises(ConfigurationError, match="summaries is set to a value as well"):
        settings_with(given, ["summaries=1", "summaries.words=120"])
