"""The settings of models: which models are used, where, how fast, and for how much money.

Settings are read in `config`; clients are made from them in `model_clients`.
"""

import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from resources.wire.addresses import wrong_address

Provider = Literal["openai", "ollama"]
WhenChanged = Literal["recompute", "keep"]
BatchMode = Literal["off", "auto", "always"]


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number is needed, not true or false")
    return value


HTTP = ("http", "https")
REDIS = ("redis", "rediss", "unix")
# The syntax of Go's time.ParseDuration, since Ollama is written in Go.
_DURATION = re.compile(
    r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))*"
)
# Ollama counts nanoseconds in 64 bits. A longer duration would overflow to a negative one and unload the model at once.
_LONGEST_SECONDS = 9_000_000_000


def _kept_alive(value: Any) -> int | float | str:
    """The value in a form that Ollama accepts: seconds as a number, or a duration with a unit; it refuses "300"."""
    if isinstance(value, str):
        value = value.strip()
        if _DURATION.fullmatch(value):
            return value
        try:
            value = int(value) if value.lstrip("+-").isdigit() else float(value)
        except ValueError as error:
            raise ValueError(
                'must be seconds, such as 300, or a duration with a unit (h, m, s, ms), such as "10m"; '
                "-1 keeps the model loaded forever, 0 unloads it at once"
            ) from error
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("must be seconds or a duration")
    if value > _LONGEST_SECONDS:
        raise ValueError("is longer than Ollama can count; -1 keeps the model loaded forever")
    return value


Count = Annotated[int, BeforeValidator(_no_boolean)]
Number = Annotated[float, BeforeValidator(_no_boolean)]
Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]
"""Names in a list; a single one may stand without a list."""
KeepAlive = Annotated[int | float | str, BeforeValidator(_kept_alive)]


class EndpointSettings(BaseModel):
    """The settings that endpoints for texts and for vectors have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str = Field(
        "",
        description="Address of the server, such as `http://127.0.0.1:8000/v1`. If empty, the provider's own address is used; "
        "for Ollama, port 11434 of this machine.",
    )
    model: str = Field(
        "", description="Name of the model on the server. Required for every provider except the offline one."
    )
    api_key: SecretStr = Field(
        SecretStr(""),
        description="The API key. It is safer in the environment than in a file. If empty, OPENAI_API_KEY is used for OpenAI's "
        "own address, and no key for any other.",
    )
    identity: str = Field(
        "",
        description="A name for the deployment that replaces its address in action keys, so that a server that moved, or two "
        "equivalent servers, share results.",
    )
    parameters: dict[str, Any] = Field(
        {},
        description="Additional parameters to send with each request; this program need not know them. They are part of every "
        "action key. For Ollama, they are its `options`.",
    )
    timeout_seconds: Number = Field(
        120,
        gt=0,
        description="Maximum time until a reply is complete. Two minutes is many times what a summary takes, but a large "
        "local model may have to be loaded first.",
    )
    in_flight: Count = Field(
        8,
        ge=1,
        le=512,
        description="Maximum number of concurrent requests, over all processes of a home. One graphics card is rarely faster "
        "with more than eight.",
    )
    rpm: Count | Literal["auto"] = Field(
        "auto",
        description="Maximum number of requests per minute, over all processes; 0 for no limit. `auto` means 30 for openai, "
        "which the smallest plans allow, and no limit for ollama.",
    )
    tpm: Count = Field(
        0,
        ge=0,
        description="Maximum number of tokens per minute, of prompts and answers, over all processes; 0 for no limit.",
    )
    keep_alive: KeepAlive = Field(
        "10m",
        description="Ollama only: how long the model stays loaded after a request: seconds, a duration with a unit, or -1 for "
        "forever. Loading takes up to a minute.",
    )
    num_thread: Count = Field(0, ge=0, description="Ollama only: number of threads; 0 lets the server decide.")

    @field_validator("rpm")
    @classmethod
    def _rpm_is_no_debt(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 0:
            raise ValueError("must be at least 0, or auto")
        return value

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and (wrong := wrong_address(value, HTTP)):
            raise ValueError(wrong)
        return value


class LLMSettings(EndpointSettings):
    """The model that writes summaries and concepts."""

    provider: Literal["extractive", "openai", "ollama"] = Field(
        "extractive",
        description="What writes summaries and concepts. `extractive`: no model; they are extracted from the document's own "
        "words, offline. `openai`: any server with OpenAI's API. `ollama`: a server with Ollama's own API.",
    )
    temperature: Number | Literal["server"] = Field(
        "server",
        description="Sampling temperature, at least 0. `server` sends none, since some models accept only their own.",
    )
    context_tokens: Count = Field(
        16_000,
        ge=1_000,
        description="Maximum number of tokens of a prompt and its answer together. Longer documents are read in parts. For "
        "Ollama, this also sets its context window (`num_ctx`), which takes memory.",
    )
    max_output_tokens: Count = Field(
        2_000,
        ge=64,
        description="Maximum length of an answer, in tokens. Fifteen concepts with their evidence take about 800 tokens; "
        "reasoning models need several times that.",
    )

    batch: BatchMode | dict[str, BatchMode] = Field(
        "off",
        description="Whether requests are answered in batches of the provider, within a day and at a lower price "
        "(docs/batches.md). `off`: never. `always`: where the server has OpenAI's `/v1/batches`. `auto`: if the price of batches "
        'is known and a stage has at least 100 requests. Or a table by stage, such as `{ summaries = "always" }`, for which the '
        "others are `off`.",
    )

    @property
    def uses_batches(self) -> bool:
        """Whether any request may go into a batch."""
        return self.batch != "off" if isinstance(self.batch, str) else any(one != "off" for one in self.batch.values())

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        modes = [self.batch] if isinstance(self.batch, str) else self.batch.values()
        if "always" in modes and self.provider == "ollama":
            raise ValueError("batch cannot be always with the provider ollama, which has no batches; set it to off")
        if self.provider != "extractive" and not self.model:
            raise ValueError(f"provider {self.provider} needs a model")
        if self.max_output_tokens * 2 > self.context_tokens:
            raise ValueError("max_output_tokens may be at most half of context_tokens, to leave room for the prompt")
        return self


class EmbeddingSettings(EndpointSettings):
    """The model that computes vectors."""

    provider: Literal["wordllama", "local", "openai", "ollama"] = Field(
        "wordllama",
        description="What computes the vectors of chunks. `wordllama`: this program, offline. `local`: this program too, with "
        "the model in `folder` (docs/local_models.md). `openai`, `ollama`: a server. Address, key and identity are "
        "not taken from `[llm]`.",
    )
    folder: str = Field(
        "",
        description="With the provider `local`: the folder of a sentence-transformers model. Nothing is downloaded.",
    )
    weights: str = Field(
        "",
        description="With the provider `local`: the file of weights, relative to `folder`, such as `onnx/model.onnx`. If empty, "
        "a quantized .onnx file is preferred to `model.onnx`, and that to `model.safetensors`.",
    )
    dimensions: Count = Field(
        0,
        ge=0,
        le=65_536,
        description="Length of the model's vectors, which is checked. Required for a server; for `local`, 0 means the model's "
        "own length. To let a server shorten them, set `parameters = { dimensions = 256 }` as well.",
    )
    batch: Count = Field(
        64,
        ge=1,
        le=2_048,
        description="Number of texts per request, and for `local` after how many texts their vectors are stored. With more, a "
        "failed request loses more work.",
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.provider == "local" and not self.folder:
            raise ValueError("provider local needs folder: the folder of a sentence-transformers model")
        if self.asks_server and not self.model:
            raise ValueError(f"provider {self.provider} needs a model")
        if self.asks_server and not self.dimensions:
            raise ValueError(f"provider {self.provider} needs dimensions: the length of the model's vectors")
        return self

    @property
    def asks_server(self) -> bool:
        """Whether a server computes the vectors."""
        return self.provider in ("openai", "ollama")

    @property
    def folder_path(self) -> Path:
        """The path of `folder`."""
        return Path(self.folder).expanduser()


class BudgetSettings(BaseModel):
    """How much models may cost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_usd: Number = Field(
        0, ge=0, description="Maximum cost of one run, in dollars, unless `--max-cost` is given; 0 for no limit."
    )
    period_usd: Number = Field(
        0,
        ge=0,
        description="Maximum cost of all runs of a home in the last `period_days`, in dollars. It keeps a schedule from "
        "spending the budget of a run again and again. 0 for no limit.",
    )
    period_days: Number = Field(1, gt=0, description="Number of days, back from now, that `period_usd` covers.")


class MetricsSettings(BaseModel):
    """Where the account of a home is written for other programs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prometheus: str = Field(
        "",
        description="A file for Prometheus's textfile collector, such as `/var/lib/node_exporter/seedbank.prom`. Each seed that "
        "does anything replaces it: requests, tokens, dollars, savings and latencies by stage and model. If empty, none is "
        "written.",
    )

    @property
    def prometheus_path(self) -> Path | None:
        """The path of `prometheus`; None if it is not set."""
        return Path(self.prometheus).expanduser() if self.prometheus else None


def redis_address(value: SecretStr) -> SecretStr:
    """The address of a Redis server. Raises ValueError if it is none."""
    url = value.get_secret_value()
    scheme, _, rest = url.partition("://")
    if url and scheme == "unix":
        if not rest.rpartition("@")[2].startswith("/") or any(c.isspace() or not c.isprintable() for c in url):
            raise ValueError("must contain the path of a socket, as in unix:///run/redis.sock")
    elif url:
        if wrong := wrong_address(url, REDIS):
            raise ValueError(wrong)
        path = re.split(r"[?#]", rest, maxsplit=1)[0].rpartition("@")[2].partition("/")[2]
        if path and not path.isdigit():
            raise ValueError("only the number of a database may follow the host, as in redis://host:6379/0")
    return value


class LimitSettings(BaseModel):
    """Where processes share the limits of requests."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    redis_url: SecretStr = Field(
        SecretStr(""),
        description="A Redis server (`redis://...`) through which several homes or hosts share their limits. If empty, the "
        "processes of a home share them through files.",
    )

    @field_validator("redis_url")
    @classmethod
    def _is_an_address(cls, value: SecretStr) -> SecretStr:
        return redis_address(value)
