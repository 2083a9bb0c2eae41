"""The queue of runs for workers on other machines: messages of Celery in a broker.

What belongs here: what is sent, and how reliably. What does not: who sends (celery_launcher), and what a worker does with a
message (remote_run). A message names a run and the number of the attempt; everything else is in Dagster's database and in the
remote, so a message that is lost or delivered twice does no harm.
"""

from typing import TYPE_CHECKING, Any

from resources.errors import ConfigurationError
from resources.settings.deployment_settings import DeploymentSettings

if TYPE_CHECKING:
    from celery import Celery

TASK = "seedbank.run"
_BROKER = "the address of a message broker (SEEDBANK_DEPLOYMENT__BROKER_URL=amqp://...)"
# How long a message may be under way in a worker before RabbitMQ gives it to another one, which ignores it (begin in RunBeats).
_LONGEST_RUN_MS = 7 * 86_400_000
# A broker that is started again is back within half a minute.
_SENDING = {"max_retries": 20, "interval_start": 0.2, "interval_step": 0.5, "interval_max": 3.0}


def celery_app(settings: DeploymentSettings) -> "Celery":
    """The application of a queue. Raises ConfigurationError if no broker is set, or Celery is not installed."""
    if not (url := settings.broker_url.get_secret_value()):
        raise ConfigurationError(f"No broker is set. Set deployment.broker_url to {_BROKER}.")
    try:
        from celery import Celery
        from kombu.entity import Queue
    except ImportError as error:
        raise ConfigurationError(
            "deployment.broker_url is set, and Celery is not installed: install the extra `celery`."
        ) from error
    app = Celery("seedbank", broker=url)
    arguments = {"x-consumer-timeout": _LONGEST_RUN_MS} if url.startswith("amqp") else None
    app.conf.update(
        task_queues=[Queue(settings.queue, durable=True, queue_arguments=arguments)],
        task_default_queue=settings.queue,
        task_ignore_result=True,
        # A message is acknowledged when its run has ended, and a worker has one at a time. So no run waits behind another one
        # while a worker is idle.
        task_acks_late=True,
        task_acks_on_failure_or_timeout=True,
        worker_prefetch_multiplier=1,
        worker_concurrency=1,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"confirm_publish": True}
        if url.startswith("amqp")
        else {"visibility_timeout": 86_400},
        # Workers share no state but the queue.
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
    )
    return app


def send(app: "Celery", run_id: str, attempt: int) -> None:
    """Put a run into the queue; it is there when this returns. Raises what the broker's client raises."""
    arguments: dict[str, Any] = {"run_id": run_id, "attempt": attempt}
    app.send_task(TASK, kwargs=arguments, retry=True, retry_policy=_SENDING)
