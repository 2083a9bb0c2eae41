"""The bundled embedder, run in workers, as stages use it. What does not belong here: how texts become vectors
(resources.models.embedder), and the workers (parser_pool).
"""

from collections.abc import Sequence

from resources.endpoints.llm import RequestCosts
from resources.models.embedder import WordLlamaEmbedder
from resources.models.float_arrays import Float32Array
from seed_assets.core.text.text_work import TextWork


class WorkersEmbedder(WordLlamaEmbedder):
    """A WordLlamaEmbedder whose `embed` runs in a worker; all else runs in this process."""

    def __init__(self, work: TextWork) -> None:
        super().__init__()
        self._work = work

    async def embed(self, texts: Sequence[str], costs: RequestCosts | None = None) -> Float32Array:
        """Do what `embed_sync` does, in a worker. Raises DocumentError if that exceeds the worker's limits."""
        return (await self._work.run("vectors", list(texts))).array()
