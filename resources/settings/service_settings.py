"""The settings of the HTTP service: who may use it, which homes it answers from, and how much it does at once.

The address and the port are options of the command. Settings are read in `config`; the service itself is in `service`.
"""

import re
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from resources.settings.model_settings import Count, Number

# A token of 16 random letters and digits has about 95 bits, which cannot be found by trying (a judgement).
SHORTEST_TOKEN = 16
_BASE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
# Paths of the service itself, which a base of the same name would hide.
_TAKEN = frozenset({"health", "docs", "openapi", "mcp", "v1"})


class ServiceSettings(BaseModel):
    """Who may use the service, which homes it answers from, and how much it does at once."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    token: SecretStr = Field(
        SecretStr(""),
        description="The token that requests must carry, as `Authorization: Bearer TOKEN`: 16 characters or more. It is safer in "
        "the environment than in a file. If empty, the service listens on this machine only and asks for no token.",
    )
    bases: dict[str, Path] = Field(
        {},
        description="Several knowledge bases in one service: name = home. Each is answered below `/NAME/`. If empty, the home of "
        "the command is answered without a prefix.",
    )
    tokens: dict[str, SecretStr] = Field(
        {}, description="The token of each of `bases`: name = token. A token of one base opens no other."
    )
    hosts: tuple[str, ...] = Field(
        (),
        description="Further names of the service, such as that of a proxy in front of it. While it listens on this machine "
        "only, it refuses any other name but localhost, so that no web page can reach it under a name of its own.",
    )
    parallel: Count = Field(
        8,
        ge=1,
        le=256,
        description="Maximum number of questions that are worked on at once. Further ones wait; a kept answer never waits.",
    )
    timeout_seconds: Number = Field(
        120,
        gt=0,
        description="Maximum time until a request is answered. An answer that takes longer is still completed and kept.",
    )

    @field_validator("token")
    @classmethod
    def _is_long_enough(cls, value: SecretStr) -> SecretStr:
        return _checked(value, "")

    @model_validator(mode="after")
    def _bases_have_names_and_tokens(self) -> Self:
        for name, home in self.bases.items():
            if not _BASE_NAME.fullmatch(name) or name in _TAKEN:
                taken = ", which is a path of the service itself" if name in _TAKEN else ""
                raise ValueError(
                    f"bases.{name}: a name consists of small letters, digits, - and _, as it becomes a part of addresses{taken}"
                )
            if not str(home) or str(home) == ".":
                raise ValueError(f"bases.{name}: a folder is needed")
        for name, token in self.tokens.items():
            if name not in self.bases:
                raise ValueError(f"tokens.{name}: there is no base of this name in service.bases")
            if not token.get_secret_value():
                raise ValueError(f"tokens.{name} is empty")
            _checked(token, f"tokens.{name}: ")
        values = [token.get_secret_value() for token in self.tokens.values()]
        if len(set(values)) < len(values):
            raise ValueError("tokens: two bases have the same token; one that opens both would not keep them apart")
        return self


def _checked(token: SecretStr, where: str) -> SecretStr:
    value = token.get_secret_value()
    if value and len(value) < SHORTEST_TOKEN:
        raise ValueError(f"{where}a token has {SHORTEST_TOKEN} characters or more")
    if not value.isascii() or any(character.isspace() or not character.isprintable() for character in value):
        raise ValueError(
            f"{where}a token consists of letters, digits and other visible ASCII characters, without spaces"
        )
    return token
