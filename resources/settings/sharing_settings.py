"""The settings of the remote through which several homes share finished work. Settings are read in `config`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from io_managers.object_stores import SCHEMES, wrong_bucket
from io_managers.sharing.segments.signatures import SECRET, parse_public, secret_bytes
from resources.settings.model_settings import Count, Number, redis_address


class SharingSettings(BaseModel):
    """With whom finished work is shared."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    remote: str = Field(
        "",
        description="Where finished work is shared with other homes: `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, "
        "`az://CONTAINER/PREFIX` (with the extra `remote`), or a folder. If empty, nothing is shared.",
    )
    remote_access: Literal["auto", "read", "write", "off"] = Field(
        "auto",
        description="What is done with the remote. `auto`: read and push; only read in CI (if the variable CI is set), and where "
        "nothing can be signed. `off`: neither, as without a network.",
    )
    trusted_keys: tuple[str, ...] = Field(
        (),
        description="Public keys of those whose results are used, as `seedbank cache keygen` prints them. The home's own key is "
        "trusted as well.",
    )
    signing_key: SecretStr = Field(
        SecretStr(""),
        description="The secret key that signs what is pushed. It is safer in the environment than in a file.",
    )
    unsigned: Literal["refuse", "accept"] = Field(
        "refuse",
        description="Whether to use and push results without a signature: `accept` only if nobody but you can write to the "
        "remote. Those in a folder that only its owner, you, can write are accepted anyway.",
    )
    remote_timeout_seconds: Number = Field(
        30, gt=0, le=3600, description="Maximum time of one request to the remote, with its retries."
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="A Redis server (`redis://...`, with the extra `redis`) that keeps values in front of the remote. It pays "
        "off if the remote takes tens of milliseconds; if it is down, the remote is asked.",
    )
    redis_hours: Number = Field(24, gt=0, le=8760, description="How long Redis keeps a value, in hours.")
    redis_largest_kb: Count = Field(
        256,
        ge=1,
        le=65_536,
        description="Values of more kilobytes never enter Redis, since a few of them would fill it.",
    )
    private_stages: tuple[str, ...] = Field(
        ("answer", "retrieval"),
        description="Stages whose results are not pushed, nor the replies of models that they paid for. By default, questions of "
        "users and their answers stay in the home.",
    )

    @field_validator("remote")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        return checked_address(value)

    @field_validator("redis_url")
    @classmethod
    def _is_a_server(cls, value: SecretStr) -> SecretStr:
        return redis_address(value)

    @field_validator("trusted_keys")
    @classmethod
    def _are_public_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            parse_public(text)
        return value

    @field_validator("signing_key")
    @classmethod
    def _is_a_secret_key(cls, value: SecretStr) -> SecretStr:
        if text := value.get_secret_value().strip():
            try:
                secret_bytes(text)
            except ValueError as error:
                raise ValueError(f"a key that signs is written as {SECRET} and 64 hexadecimal digits") from error
        return value


def checked_address(value: str) -> str:
    """An address in an object store, or a folder, as it was given. Raises ValueError if it is neither."""
    scheme, separator, _ = value.partition("://")
    if not separator:
        return value
    if not value.startswith(SCHEMES):
        raise ValueError(f"{scheme}:// is none of {', '.join(SCHEMES)}; a folder is written as a path")
    if wrong := wrong_bucket(value):
        raise ValueError(wrong)
    return value
