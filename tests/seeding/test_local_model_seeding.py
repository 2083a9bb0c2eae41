"""Seeds and searches with a model in a folder: what another folder, other weights and a missing package cost."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from resources.errors import ConfigurationError
from resources.local_models.local_embedder import LocalModelEmbedder
from resources.settings.config import load_settings
from seed_assets.graph.pipeline import Pipeline
from seed_assets.seeding.seeding import SeedOptions
from seed_assets.wiring import build_pipeline
from tests.support.pipelines import World, essay
from tests.support.tiny_models import DIMENSIONS, write_model

pytestmark = pytest.mark.slow

DOCUMENTS = 6


def use(world: World, folder: Path | None, **settings: object) -> None:
    """Let the world embed with the model in a folder; None for the bundled embedder."""
    world.settings["embeddings"] = {"provider": "local", "folder": str(folder), **settings} if folder else {}

    def change(pipeline: Pipeline) -> Pipeline:
        made = build_pipeline(load_settings({"corpus": world.corpus, "home": world.home, **world.settings}))
        return pipeline.with_resources(embedder=made.resources["embedder"])

    world.change = change


def found(world: World, query: str = "rails") -> list[str]:
    with world.session() as session:
        return [hit.document for hit in session.searcher().search(query)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", prompts={"query": "query: ", "passage": "passage: "})


@pytest.fixture
def local_world(empty_plain_world: World, folder: Path) -> World:
    """A world that was seeded with the model in `folder`."""
    use(empty_plain_world, folder)
    done = empty_plain_world.seed()
    assert done.report.exit_code == 0
    assert done.computed["embeddings"] == DOCUMENTS
    return empty_plain_world


def test_a_seed_with_a_model_in_a_folder_can_be_searched(local_world: World) -> None:
    assert {len(row["vector"]) for row in local_world.rows("chunks")} == {DIMENSIONS}
    assert len(local_world.documents_in("chunks")) == DOCUMENTS
    hits = found(local_world, "points seen before noon")
    assert hits[0] == "rails/points.md"
    assert local_world.seed().calls == {}


def test_an_identical_copy_in_another_folder_costs_nothing(local_world: World, folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    shutil.rmtree(folder)
    use(local_world, copy)
    assert local_world.seed().calls == {}
    assert found(local_world)


def test_other_weights_are_computed_again_and_the_first_ones_are_not(local_world: World, tmp_path: Path) -> None:
    before = local_world.rows("chunks")[0]["vector"]
    first = local_world.settings["embeddings"]["folder"]
    use(local_world, write_model(tmp_path / "other", seed=3))
    with pytest.raises(ConfigurationError, match="another embedder than the one in use"):
        found(local_world)
    done = local_world.seed()
    assert done.report.exit_code == 0
    assert done.computed["embeddings"] == DOCUMENTS
    assert done.computed.get("chunks", 0) == 0
    assert local_world.rows("chunks")[0]["vector"] != before
    assert found(local_world)

    use(local_world, Path(first))
    assert local_world.seed().computed.get("embeddings", 0) == 0
    assert local_world.rows("chunks")[0]["vector"] == before


def test_vectors_of_another_length_ask_for_a_new_table(local_world: World) -> None:
    """As with a server: the table is created again when the user says so."""
    use(local_world, None)
    done = local_world.seed()
    assert done.report.exit_code == 1
    assert "--rebuild-sink" in str(done.report.failures)
    rebuilt = local_world.seed(SeedOptions(rebuild_sink=True))
    assert rebuilt.report.exit_code == 0
    assert {len(row["vector"]) for row in local_world.rows("chunks")} == {256}


def test_a_missing_package_is_no_documents_fault(
    empty_plain_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same seed succeeds once it is installed: no failure is recorded that holds."""
    use(empty_plain_world, write_model(tmp_path / "graph", weights="model.onnx", seed=11))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "onnxruntime", None)
        failed = empty_plain_world.seed()
    assert failed.report.exit_code != 0
    # The stage ends once, for all documents; the rows of documents are written all the same.
    assert {document for document, _ in failed.failed()} == {""}
    assert ("", "embeddings") in failed.failed()
    assert "pip install onnxruntime" in str(failed.report.failures)
    assert len(empty_plain_world.documents_in("documents")) == DOCUMENTS
    assert empty_plain_world.seed().report.exit_code == 0
    assert len(empty_plain_world.documents_in("chunks")) == DOCUMENTS


def test_an_edited_document_embeds_its_changed_chunks_only(local_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[str] = []
    vector = LocalModelEmbedder._vector

    def noted(self: LocalModelEmbedder, model: Any, text: str) -> Any:
        encoded.append(text)
        return vector(self, model, text)

    monkeypatch.setattr(LocalModelEmbedder, "_vector", noted)
    local_world.write("rails/points.md", essay("points", 4))
    assert local_world.seed().computed["embeddings"] == 1
    [text] = encoded
    assert text.startswith("passage: Of points the note 3.0")


def test_a_folder_that_is_missing_ends_every_command_with_its_name(local_world: World, tmp_path: Path) -> None:
    use(local_world, tmp_path / "nowhere")
    for command in (local_world.plan, local_world.seed):
        with pytest.raises(ConfigurationError, match=r"`embeddings.folder` is .*nowhere, which does not exist"):
            command()
