"""The worker of a queue: it takes one run after the other, and starts a process for each (remote_run).

What belongs here: taking messages. The process of the run does everything else, so that this one never has old code, and a run
that ends its process does not end the worker.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resources.settings.deployment_settings import DeploymentSettings
from seed_assets.spreading.celery_app import TASK, celery_app

logger = logging.getLogger(__name__)


def work(settings: DeploymentSettings, environment: Mapping[str, str]) -> None:
    """Take runs until SIGTERM, after which the run under way comes to its end. Raises ConfigurationError.

    environment: that of the processes of runs.
    """
    app = celery_app(settings)
    paths = os.pathsep.join(str(Path(path or ".").resolve()) for path in sys.path)

    # The name of the parameters is that in the message.
    def run(run_id: str, attempt: int) -> None:
        command = [sys.executable, "-P", "-m", f"{__package__}.remote_run", run_id, str(attempt)]
        status = subprocess.run(command, env={**environment, "PYTHONPATH": paths}, stdin=subprocess.DEVNULL).returncode
        if status:
            logger.warning("The process of the run %s ended with status %d.", run_id, status)

    app.task(name=TASK)(run)
    logger.info("Waiting for runs in the queue %s.", settings.queue)
    worker: Any = app.Worker(
        # The thread waits for the process of a run, while the main thread answers the broker.
        pool="threads",
        concurrency=1,
        queues=[settings.queue],
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    worker.start()
