"""A digest of the code and of the settings that decide results, by which two machines know that they would compute the same.

What belongs here: this digest. What does not: what follows if two differ (spreading.remote_run).
"""

import hashlib
from functools import cache
from pathlib import Path

from io_managers.store.fingerprint import encode_part
from resources.project_folder import PACKAGES_FOLDER, own_packages
from seed_assets.graph.pipeline import Pipeline


def code_digest(pipeline: Pipeline) -> str:
    """The digest of the modules of this program, and of what the settings give to the keys of all stages: 16 digits."""
    hasher = hashlib.sha256(_modules().encode())
    for name, template in pipeline.templates.items():
        hasher.update(encode_part([name, template.action({}).key]))
    return hasher.hexdigest()[:16]


@cache
def _modules() -> str:
    """The digest of all modules as they were on the disk when this was first called, which the process has imported."""
    hasher, root = hashlib.sha256(), Path(PACKAGES_FOLDER)
    for path in sorted(path for package in own_packages() for path in Path(package).rglob("*.py")):
        hasher.update(encode_part([path.relative_to(root).as_posix(), path.read_bytes()]))
    return hasher.hexdigest()
