"""The settings: where each comes from, which one wins, and that no slip of the pen is silent."""

import json
import os
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from typer.testing import CliRunner

from cli.main import app
from resources.errors import ConfigurationError
from resources.settings.assignments import settings_with
from resources.settings.config import PREFIX, PROJECT_ROOT, Settings, load_settings
from resources.settings.config_errors import setting_names, variable_name, wrong_settings
from resources.wire.guarded_http import FORBIDDING
from tests.support import configuration_pages

# Values for those that 300 is none for, and what others of their table need beside them.
OTHER_VALUES = {
    "corpus_bucket.requests": "30",
    "corpus_bucket.timeout_seconds": "3.5",
    "store.remote": "s3://bucket/prefix",
    "tables.publish_to": "s3://bucket/prefix",
    "tables.read_from": "/somewhere",
    "tables.refresh_seconds": "3.5",
    "tables.keep_hours": "3.5",
    "store.remote_access": "read",
    "store.trusted_keys": f'["public:{"ab" * 32}"]',
    "store.signing_key": "secret:" + "300a" * 16,
    "store.unsigned": "accept",
    "store.remote_timeout_seconds": "3.5",
    "store.redis_url": "redis://127.0.0.1:6379/0",
    "store.redis_hours": "3.5",
    "store.private_stages": '["summaries"]',
    "ocr.enabled": "False",
    "ocr.languages": '["eng", "deu"]',
    "pdf.most_unread_pages": "0.25",
    "corpus": "/somewhere",
    "home": "/somewhere",
    "prices": "/somewhere",
    "archives": "documents",
    "concepts.count": "30",
    "extraction.when_version_changes": "keep",
    "extract": "{}",
    "stages.modules": '["my_stages"]',
    "stages.document_seconds": "60",
    "deployment.broker_url": "amqp://guest:300@127.0.0.1//",
    "summaries.when_model_changes": "keep",
    "concepts.when_model_changes": "keep",
    "clusters.types": '["concept", "field:gene"]',
    "clusters.drift": "0.3",
    "entities.enabled": "True",
    "entities.types": '["person", "product"]',
    "entities.known": "/somewhere.csv",
    "entities.records": '{"person": {"name": ["given", "surname"], "stable": ["born"]}}',
    "entities.characters": "3000",
    "entities.when_model_changes": "keep",
    "entities.relationships": "True",
    "entities.relationship_types": '["works for"]',
    "entities.profiles": "True",
    "entities.profile_passages": "5",
    "cluster_summaries.members_by": "content",
    "cluster_summaries.resummarize_share": "0.2",
    "answers.passages": "5",
    "examples.show": '{"summaries": 3}',
    "examples.file": "/somewhere.json",
    "judge.accept": "0.8",
    "judge.reject": "0.3",
    "judge.when_model_changes": "keep",
    "store.directory": "/somewhere",
    "store.enabled": "False",
    "store.ttl_days": '{"answer": 30.0}',
    "store.free_ttl_days": "3.5",
    "store.grace_days": "3.5",
    "store.quarantine_days": "3.5",
    "llm.provider": "ollama",
    "llm.base_url": "https://models.example/v1",
    "llm.parameters": '{"top_k": 1}',
    "llm.timeout_seconds": "3.5",
    "llm.batch": "auto",
    "llm.temperature": "0.5",
    "llm.context_tokens": "30000",
    "embeddings.provider": "openai",
    "embeddings.folder": "/somewhere",
    "embeddings.weights": "onnx/model.onnx",
    "embeddings.base_url": "https://models.example/v1",
    "embeddings.parameters": '{"dimensions": 256}',
    "embeddings.timeout_seconds": "3.5",
    "budget.run_usd": "3.5",
    "budget.period_usd": "3.5",
    "budget.period_days": "3.5",
    "limits.redis_url": "redis://127.0.0.1:6379/0",
    "metrics.prometheus": "seedbank.prom",
    "service.token": "a-token-with-300-in-it",
    "service.bases": "{}",
    "service.tokens": "{}",
    "service.hosts": '["seedbank.example"]',
    "service.parallel": "30",
    "service.timeout_seconds": "3.5",
}
NEEDED = {"llm": {"model": "some-model"}, "embeddings": {"model": "some-model", "dimensions": "300"}}
EVERY_SETTING = [path for path, _ in setting_names(Settings)]


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No setting but those of the test; the folder that holds the test's seedbank.toml."""
    for name in list(os.environ):
        if name.upper().startswith(PREFIX) and name != FORBIDDING:
            monkeypatch.delenv(name)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "seedbank.toml").write_text("")
    monkeypatch.setenv("SEEDBANK_CONFIG", str(tmp_path / "conf" / "seedbank.toml"))
    return tmp_path / "conf"


def toml(clean: Path, content: str | bytes) -> None:
    """Write the seedbank.toml in force."""
    (clean / "seedbank.toml").write_bytes(content.encode() if isinstance(content, str) else content)


def refused() -> str:
    """Return what is shown of the current settings."""
    with pytest.raises(ConfigurationError) as raised:
        load_settings()
    return str(raised.value)


def test_everything_has_a_default() -> None:
    settings = load_settings()
    assert settings.corpus == PROJECT_ROOT / "sample_corpus"
    assert settings.home == PROJECT_ROOT / ".seedbank"
    assert (settings.chunks.characters, settings.chunks.overlap) == (1000, 0)


def test_a_summary_cannot_be_kept_and_follow_the_texts_of_its_members(clean: Path) -> None:
    toml(clean, '[cluster_summaries]\nmembers_by = "content"\nresummarize_share = 0.1\n')
    assert 'set resummarize_share to 0, or members_by to "ids"' in refused()


def test_an_argument_wins_over_the_environment_and_that_over_the_file(
    clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml(clean, "max_document_mb = 10\ndocuments_per_run = 10\n[summaries]\nwords = 100\n[chunks]\noverlap = 50\n")
    monkeypatch.setenv("SEEDBANK_DOCUMENTS_PER_RUN", "20")
    monkeypatch.setenv("SEEDBANK_SUMMARIES__WORDS", "120")
    monkeypatch.setenv("SEEDBANK_CHUNKS__CHARACTERS", "500")
    settings = load_settings({"documents_per_run": 30})
    assert (settings.max_document_mb, settings.documents_per_run, settings.summaries.words) == (10, 30, 120)
    # A part from the environment leaves the others of its table as the file has them.
    assert (settings.chunks.characters, settings.chunks.overlap) == (500, 50)


@pytest.mark.parametrize("path", EVERY_SETTING, ids=".".join)
def test_every_setting_can_be_set_by_environment(path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    value = OTHER_VALUES.get(".".join(path), "300")
    monkeypatch.setenv(variable_name(path, PREFIX), value)
    for name, needed in NEEDED.get(path[0], {}).items():
        if name != path[-1]:
            monkeypatch.setenv(variable_name((path[0], name), PREFIX), needed)
    found = load_settings()
    for name in path:
        found = getattr(found, name)
    if isinstance(found, SecretStr):
        assert "300" not in repr(found)
        found = found.get_secret_value()
    assert (json.dumps(found, default=_as_given) if isinstance(found, dict | tuple) else str(found)) == value


def _as_given(settings: BaseModel) -> object:
    """What was given of inner settings."""
    return settings.model_dump(mode="json", exclude_unset=True)


def test_a_relative_path_is_relative_to_where_it_was_said(
    clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    toml(clean, 'corpus = "docs/"\nhome = "~/state"\n')
    assert load_settings().corpus == clean / "docs"
    assert load_settings().home == tmp_path / "me" / "state"
    monkeypatch.setenv("SEEDBANK_CORPUS", "docs/")
    monkeypatch.setenv("SEEDBANK_HOME", "~")
    assert load_settings().corpus == tmp_path / "docs"
    assert load_settings().home == tmp_path / "me"
    assert load_settings({"corpus": Path("other")}).corpus == tmp_path / "other"
    monkeypatch.setenv("SEEDBANK_CONFIG", "conf/seedbank.toml")
    monkeypatch.delenv("SEEDBANK_CORPUS")
    assert load_settings().corpus == clean / "docs"


def test_a_local_model_needs_a_folder_and_its_path_is_relative_to_where_it_was_said(
    clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml(clean, '[embeddings]\nprovider = "local"\n')
    assert "provider local needs folder" in refused()
    toml(clean, '[embeddings]\nprovider = "local"\nfolder = "models/small"\n')
    assert load_settings().embeddings.folder_path == clean / "models" / "small"
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("SEEDBANK_EMBEDDINGS__FOLDER", "~/small")
    assert load_settings().embeddings.folder_path == tmp_path / "me" / "small"


def test_a_variable_set_to_nothing_is_not_set(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty path would be the working directory."""
    toml(clean, 'corpus = "/docs"\n')
    monkeypatch.setenv("SEEDBANK_CORPUS", "")
    monkeypatch.setenv("SEEDBANK_HOME", "")
    assert load_settings().corpus == Path("/docs")
    assert load_settings().home == PROJECT_ROOT / ".seedbank"
    toml(clean, 'home = ""\n')
    assert "home = '' (SEEDBANK_HOME): a folder is needed" in refused()


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("SEEDBANK_HOEM", "SEEDBANK_HOME"),
        ("SEEDBANK_CHUNKS_CHARACTERS", "SEEDBANK_CHUNKS__CHARACTERS"),
        ("SEEDBANK_CHUNKS__CHARACTRES", "SEEDBANK_CHUNKS__CHARACTERS"),
        ("SEEDBANK_CHUNK__OVERLAP", "SEEDBANK_CHUNKS__OVERLAP"),
        ("SEEDBANK_CORPUS__ROOT", "SEEDBANK_CORPUS"),
        ("seedbank_max_document_bm", "SEEDBANK_MAX_DOCUMENT_MB"),
    ],
)
def test_a_mistyped_variable_is_named_with_what_was_probably_meant(
    variable: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "5")
    message = refused()
    assert f"no setting {variable} in the environment (is {meant} meant?)" in message
    assert message.count("no setting") == 1


def test_a_variable_like_nothing_known_is_named_with_all_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDBANK_Q", "5")
    message = refused()
    for path in EVERY_SETTING:
        assert variable_name(path, PREFIX) in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[chunks]\ncharactres = 5\n", "no setting chunks.charactres (is chunks.characters meant?)"),
        ("[chunk]\ncharacters = 500\n", "no setting chunk (is [chunks] meant?)"),
        ("max_documents_mb = 5\n", "no setting max_documents_mb (is max_document_mb meant?)"),
        ("chunks = 5\n", "a table [chunks] is needed, with chunks.characters, chunks.overlap"),
        ("corpus = 5\n", "corpus = 5 (SEEDBANK_CORPUS): a folder is needed"),
        ('max_document_mb = "many"\n', "max_document_mb = 'many' (SEEDBANK_MAX_DOCUMENT_MB)"),
        ("max_document_mb = 0\n", "greater than or equal to 1"),
        ("max_document_mb = 1.5\n", "max_document_mb = 1.5"),
        ("max_document_mb = true\n", "a number is needed, not true or false"),
        ("max_document_mb = [5]\n", "max_document_mb = '[5]'"),
        ("[chunks]\noverlap = 1000\n", "chunks of 1000 characters cannot share 1000"),
        ("[chunks]\ncharacters = 200\noverlap = 300\n", "overlap must be less than characters"),
        ("corpus = \n", "seedbank.toml cannot be read as TOML: Invalid value (at line 1, column 10)"),
        (b'corpus = "caf\xe9"\n', "seedbank.toml cannot be read as TOML"),
        ("[chunks]\noverlap = 1\noverlap = 2\n", "seedbank.toml cannot be read as TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_right(clean: Path, content: str | bytes, message: str) -> None:
    toml(clean, content)
    assert message in refused()
    assert str(clean / "seedbank.toml") in refused()


def test_all_errors_are_reported_at_once(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml(clean, "colour = 1\n[summaries]\nwords = 1\n")
    monkeypatch.setenv("SEEDBANK_CHUNKS__CHARACTERS", "abc")
    monkeypatch.setenv("SEEDBANK_COLOUR", "1")
    message = refused()
    for part in ("SEEDBANK_COLOUR", "summaries.words = 1", "chunks.characters = 'abc'"):
        assert part in message


def test_a_table_in_one_variable_has_to_be_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDBANK_CHUNKS", '{"characters": 700}')
    assert load_settings().chunks.characters == 700
    monkeypatch.setenv("SEEDBANK_CHUNKS", "characters=700")
    message = refused()
    assert '"chunks"' in message
    assert "not JSON" in message


def test_a_file_that_was_named_has_to_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEEDBANK_CONFIG", str(tmp_path / "nothing.toml"))
    assert "nothing.toml" in refused()
    monkeypatch.setenv("SEEDBANK_CONFIG", str(tmp_path))
    assert "does not exist" in refused()


def test_the_home_folder_of_an_unknown_user_is_refused(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for set_it in (
        lambda: toml(clean, 'corpus = "~nobody-of-this-name/docs"\n'),
        lambda: monkeypatch.setenv("SEEDBANK_CORPUS", "~nobody-of-this-name/docs"),
    ):
        set_it()
        assert "~nobody-of-this-name/docs: the user or its home folder does not exist" in refused()


def test_secrets_are_never_shown() -> None:
    """Neither what stands under a mistyped name, nor the value of a setting that holds one."""

    class Model(BaseModel):
        model_config = ConfigDict(extra="forbid")
        key: SecretStr
        optional_key: SecretStr | None = None

    with pytest.raises(ValidationError) as raised:
        Model.model_validate({"key": ["sesame"], "optional_key": ["sesame"], "api_kye": "sesame"})
    message = wrong_settings(Model, raised.value, {}, PREFIX)
    assert len(message) == 3
    assert "sesame" not in " ".join(message)


@pytest.mark.parametrize("arguments", [["seed"], ["status"], ["search", "q"], ["cache", "verify"], ["cache", "repair"]])
def test_every_command_ends_with_2_for_a_wrong_setting(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDBANK_HOEM", "/somewhere")
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "SEEDBANK_HOEM" in done.stderr


def test_the_page_and_the_example_show_every_setting_as_it_is(clean: Path) -> None:
    """To write them again: python -m tests.support.configuration_pages"""
    current = configuration_pages.PAGE.read_text()
    assert current == configuration_pages.page(current)
    example = configuration_pages.EXAMPLE.read_text()
    assert example == configuration_pages.example()

    # As it is, it changes nothing; with every comment sign taken off, it says every default.
    toml(clean, example)
    assert load_settings() == load_settings({})
    lines = [
        line.removeprefix("#") if line.startswith("#") and line[1] != " " else line for line in example.splitlines()
    ]
    written = tomllib.loads("\n".join(lines))
    toml(clean, "\n".join(line for line in lines if not line.startswith(("corpus", "home"))))
    assert load_settings().model_dump() == Settings().model_dump()  # pyright: ignore[reportCallIssue]
    for path, field in setting_names(Settings):
        value = written
        for name in path:
            value = value[name]
        default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        default = list(default) if isinstance(default, tuple) else default
        assert (PROJECT_ROOT / str(value) if isinstance(default, Path) else value) == default


EXTRACTION = (
    '[extract.a]\nprompt = "a.txt"\nschema = "a.json"\n[extract.b]\nprompt = "/b.txt"\nfields = { c = "text" }\n'
)


def test_the_files_of_an_extraction_are_beside_the_settings(clean: Path) -> None:
    """A prompt belongs to its seedbank.toml, wherever the command is run; a pydantic model is no file."""
    toml(clean, EXTRACTION)
    found = load_settings().extract
    assert (found["a"].prompt_path, found["a"].schema_of) == (clean / "a.txt", str(clean / "a.json"))
    assert found["b"].prompt_path == Path("/b.txt")
    toml(clean, EXTRACTION.replace("a.json", "models:A"))
    assert load_settings().extract["a"].schema_of == "models:A"


def test_other_settings_are_tried_over_those_of_an_extraction(clean: Path) -> None:
    """`compare` reads the settings in use back, under the names that users write."""
    toml(clean, EXTRACTION)
    found = settings_with(load_settings(), ["extract.b.quotes=true", 'extract.b.fields.d="date"']).extract
    assert found["b"].quotes
    assert list(found["b"].fields) == ["c", "d"]
    assert found["a"].schema_of == str(clean / "a.json")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('extract = "x"', "extract: a table [extract.NAME] is needed, with prompt, fields, schema"),
        ('[extract]\na = "x"', "extract.a: a table [extract.a] is needed, with prompt, fields, schema"),
        ('[extract.a]\npromt = "x"', "there is no setting extract.a.promt (is prompt meant?)"),
        ('[extract.a]\nprompt = "x"\nfields = { b = 3 }', "extract.a.fields.b: a table [extract.a.fields.b] is needed"),
        ('[extract.a]\nprompt = "x"\nfields = { b = { typ = "text" } }', "extract.a.fields.b.typ (is type meant?)"),
        (
            '[extract.a]\nprompt = "x"\n[extract.a.fields.b.fields]\nc = { typ = "text" }',
            "extract.a.fields.b.fields.c.typ (is type meant?)",
        ),
        ('[extract.a]\nprompt = "x"\nrows = "two"\nfields = { b = "text" }', "extract.a.rows = 'two'"),
        ('[extract.a]\nprompt = "x"\nfields = [{ type = "text" }]', "each field of a list needs a name"),
    ],
)
def test_a_wrong_setting_of_an_extraction_is_named_by_its_path(clean: Path, content: str, said: str) -> None:
    """A user with five extractions sees which of them is meant, and which settings such a table has."""
    toml(clean, content)
    assert said in refused()
