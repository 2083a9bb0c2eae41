"""The settings of runs that are spread over processes and machines. Settings are read in `config`."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from resources.settings.model_settings import Count

_BROKERS = ("amqp://", "amqps://", "redis://", "rediss://")


class DeploymentSettings(BaseModel):
    """Where runs are done."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    workers: Count = Field(
        1,
        ge=1,
        le=1_000,
        description="How many runs of documents the sensors and the schedule ask for at once: the number of workers, or on one "
        "machine the runs that Dagster starts at once (`max_concurrent_runs` in dagster.yaml). A seed has its own `--workers`.",
    )
    broker_url: SecretStr = Field(
        SecretStr(""),
        description="A message broker (RabbitMQ: `amqp://...`, or `redis://...`) from which workers on other machines take the "
        "runs of documents (`seedbank worker`). If empty, all runs are done in this home. It is safer in the environment than "
        "in a file.",
    )
    queue: str = Field(
        "seedbank",
        pattern=r"^[A-Za-z0-9_.-]+$",
        description="The queue of these runs: one for each home that asks for runs.",
    )

    @field_validator("broker_url")
    @classmethod
    def _is_a_broker(cls, value: SecretStr) -> SecretStr:
        if (text := value.get_secret_value()) and not text.startswith(_BROKERS):
            raise ValueError(f"the address of a broker begins with one of {', '.join(_BROKERS)}")
        return value
