"""A digest of the code, the settings and the frozen inputs that decide results.

By it two machines know that they would compute the same. What belongs here: this digest. What does not: what follows if two
differ (spreading.remote_run).
"""

import hashlib
from functools import cache
from pathlib import Path

from io_managers.store.fingerprint import encode_part
from resources.project_folder import PACKAGES_FOLDER, own_packages
from seed_assets.graph.pipeline import Pipeline


def code_digest(pipeline: Pipeline) -> str:
    """Return the digest of the modules of this program, and of what settings and frozen inputs give to all keys: 16 digits.

    Raises ConfigurationError if a frozen input cannot be read.
    """
    hasher = hashlib.sha256(_modules().encode())
    for name, template in pipeline.templates.items():
        frozen = [one.frozen_part() for one in pipeline.stages[name].corpus_inputs.values()]
        hasher.update(encode_part([name, template.action({}).key, *filter(None, frozen)]))
    return hasher.hexdigest()[:16]


@cache
def _modules() -> str:
    """The digest of all modules as they were on the disk when this was first called, which the process has imported."""
    hasher, root = hashlib.sha256(), Path(PACKAGES_FOLDER)
    for path in sorted(path for package in own_packages() for path in Path(package).rglob("*.py")):
        hasher.update(encode_part([path.relative_to(root).as_posix(), path.read_bytes()]))
    return hasher.hexdigest()
