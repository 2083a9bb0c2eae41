"""What is asked outside of a seed, for a search or a calibration: what failed there holds as long as in a seed."""

import contextlib
from pathlib import Path
from typing import Any

import pytest

from resources.errors import ConfigurationError
from resources.settings.config import load_settings
from seed_assets.session.session import Session
from tests.support.model_faults import Status, always
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.usefixtures("own_environment")


def opened(folder: Path, url: str, **changed: Any) -> Session:
    """A session whose models are on the server. changed: settings of both sections."""
    common = {"provider": "openai", "base_url": f"{url}/v1", "model": "scripted", "rpm": 0} | changed
    return Session(
        load_settings(
            {
                "home": folder / "home",
                "corpus": folder,
                "llm": common,
                "embeddings": common | {"dimensions": 64},
            }
        )
    )


def test_a_query_that_was_refused_is_asked_again_when_a_setting_has_changed(tmp_path: Path) -> None:
    with ModelServer(always(Status(400, "num_thread must be at most 4")), dimensions=64) as server:

        def embed(**changed: Any) -> int:
            with contextlib.closing(opened(tmp_path, server.url, **changed)) as session:
                return session._embed_query("bread").size

        with pytest.raises(ConfigurationError, match="num_thread must be"):
            embed(num_thread=8)
        server.script = always(None)
        calls = len(server.calls)
        with pytest.raises(ConfigurationError, match="num_thread must be"):
            embed(num_thread=8)
        assert len(server.calls) == calls, "nothing has changed"
        assert embed(num_thread=4) == 64


@pytest.mark.integration
def test_a_label_that_was_refused_is_judged_when_the_key_has_changed(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    (tmp_path / "a.txt").write_text("The bakery in Ulm opened in 1921. Its sourdough rests for two days.")
    labels.write_text("summary,source,label\nThe bakery opened in 1921.,a.txt,accept\n")
    with ModelServer(always(Status(400, "refused by the content filter")), dimensions=64) as server:

        def judged(key: str) -> int:
            with contextlib.closing(opened(tmp_path, server.url, api_key=key)) as session:
                return session.calibrate(labels).count

        assert judged("first") == 0
        server.script = always(None)
        calls = len(server.calls)
        assert judged("first") == 0
        assert len(server.calls) == calls, "nothing has changed"
        assert judged("second") == 1
