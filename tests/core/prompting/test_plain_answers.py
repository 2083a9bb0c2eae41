"""What a model says is kept without what steers a terminal or cannot be seen, whatever it was given to read."""

import json
from pathlib import Path

import pytest

from tests.support.model_answers import Call
from tests.support.model_faults import Fault, always
from tests.support.model_server import ModelServer
from tests.support.model_world import ModelWorld

pytestmark = pytest.mark.usefixtures("own_environment")


class Steering(Fault):
    """A valid answer that says more to a terminal than to its reader."""

    def applies(self, call: Call) -> bool:
        """To completions."""
        return call.is_chat

    def content(self, content: str) -> str:
        """See Fault."""
        return json.dumps({"summary": "A \x1b[31mtext\x1b]0;owned\x07 \u202eabout\u202c\u200b bread.\r\nمی‌خواهم"})


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_an_answer_is_kept_as_people_may_see_it(provider: str, tmp_path: Path) -> None:
    with (
        ModelServer(always(Steering())) as server,
        ModelWorld(tmp_path, server.url, provider=provider) as world,
    ):
        assert world.ask() == "A text about bread.\nمی‌خواهم"
    with ModelWorld(tmp_path, server.url, provider=provider) as world:
        # Found, not asked: the server is down.
        assert world.ask() == "A text about bread.\nمی‌خواهم"
