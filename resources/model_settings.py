"""The settings of models: which are asked, where, how fast, and for how much.

What belongs here: what a person may want to change, its default and the reason for it. What does not: reading settings
(config) and making clients of them (model_clients).
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

Provider = Literal["openai", "ollama"]
WhenChanged = Literal["recompute", "keep"]


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number is needed, not true or false")
    return value


Count = Annotated[int, BeforeValidator(_no_boolean)]
Number = Annotated[float, BeforeValidator(_no_boolean)]


class EndpointSettings(BaseModel):
    """What endpoints for texts and for vectors have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str = Field(
        "",
        description="Address of the server, such as `http://127.0.0.1:8000/v1`. Empty: the provider's own, for Ollama this "
        "machine's port 11434.",
    )
    model: str = Field(
        "", description="Name of the model, as the server knows it. Needed for every provider but the offline one."
    )
    api_key: SecretStr = Field(
        SecretStr(""),
        description="The key. Better given by environment than in a file. Empty: OPENAI_API_KEY, for OpenAI's own address "
        "alone; no key for any other.",
    )
    identity: str = Field(
        "",
        description="A name for the deployment, in action keys in place of its address: a server that moves, or two that "
        "answer alike, then share results.",
    )
    parameters: dict[str, Any] = Field(
        {},
        description="Anything else to send with each request, known here or not: part of every action key. For Ollama, its "
        "`options`.",
    )
    timeout_seconds: Number = Field(
        120,
        gt=0,
        description="Longest wait for a whole reply. Two minutes are many times what a summary takes, and a large local "
        "model may need to be loaded first.",
    )
    in_flight: Count = Field(
        8,
        ge=1,
        le=512,
        description="Most requests at once, over all processes of a home. A single graphics card rarely answers more than "
        "eight faster.",
    )
    rpm: Count | Literal["auto"] = Field(
        "auto",
        description="Most requests a minute, over all processes; 0 for no limit. `auto`: 30 for openai, which the smallest "
        "plans allow, none for ollama.",
    )
    tpm: Count = Field(
        0, ge=0, description="Most tokens a minute, asked and answered, over all processes; 0 for no limit."
    )
    keep_alive: str = Field(
        "10m",
        description="Ollama alone: how long it holds the model loaded after a request. Loading takes up to a minute.",
    )
    num_thread: Count = Field(0, ge=0, description="Ollama alone: threads to compute with; 0 leaves it to the server.")

    @field_validator("rpm")
    @classmethod
    def _rpm_is_no_debt(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 0:
            raise ValueError("a number of at least 0, or auto, is needed")
        return value

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("an address that begins with http:// or https:// is needed")
        return value


class LLMSettings(EndpointSettings):
    """Who writes summaries and concepts."""

    provider: Literal["extractive", "openai", "ollama"] = Field(
        "extractive",
        description="Who writes summaries and concepts. `extractive`: nobody, they are made of the document's own words, "
        "offline. `openai`: any server that speaks OpenAI's API. `ollama`: Ollama's own API.",
    )
    temperature: Number | Literal["server"] = Field(
        "server", description="From 0 on. `server`: not sent, since some models take no other than their own."
    )
    context_tokens: Count = Field(
        16_000,
        ge=1_000,
        description="Tokens that a request and its answer may have together. Longer documents are read in parts. For Ollama "
        "also what it is told to hold (`num_ctx`), which takes memory.",
    )
    max_output_tokens: Count = Field(
        2_000,
        ge=64,
        description="Longest answer. Fifteen concepts with their evidence take some 800 tokens; models that think first "
        "need several times that.",
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.provider != "extractive" and not self.model:
            raise ValueError(f"provider {self.provider} needs a model")
        if self.max_output_tokens * 2 > self.context_tokens:
            raise ValueError("max_output_tokens may be at most half of context_tokens, or nothing could be asked")
        return self


class EmbeddingSettings(EndpointSettings):
    """Who makes vectors."""

    provider: Literal["wordllama", "openai", "ollama"] = Field(
        "wordllama",
        description="Who makes the vectors of chunks. `wordllama`: this program, offline. Address, key and identity are not "
        "taken from `[llm]`.",
    )
    dimensions: Count = Field(
        0,
        ge=0,
        le=65_536,
        description="Length of the model's vectors, which is checked. Needed for every provider but the offline one. To have "
        "them shortened, give `parameters = { dimensions = 256 }` as well.",
    )
    batch: Count = Field(
        64, ge=1, le=2_048, description="Texts in one request. With more, a failed request loses more."
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.provider != "wordllama" and not self.model:
            raise ValueError(f"provider {self.provider} needs a model")
        if self.provider != "wordllama" and not self.dimensions:
            raise ValueError(f"provider {self.provider} needs dimensions: the length of the model's vectors")
        return self


class BudgetSettings(BaseModel):
    """What models may cost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_usd: Number = Field(
        0, ge=0, description="Most dollars in one run, unless `--max-cost` says otherwise; 0 for no limit."
    )
    period_usd: Number = Field(
        0,
        ge=0,
        description="Most dollars of all runs of a home in the last `period_days`: what keeps a schedule from spending a "
        "budget again and again. 0 for no limit.",
    )
    period_days: Number = Field(1, gt=0, description="Days that `period_usd` is for, back from now.")


class LimitSettings(BaseModel):
    """Where limits are shared."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    redis_url: SecretStr = Field(
        SecretStr(""),
        description="A Redis (`redis://...`) in which several homes or hosts share their limits. Empty: all processes of a "
        "home share them in a file.",
    )
