"""The settings of tables that one home publishes, and that others only read. Settings are read in `config`."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from resources.settings.model_settings import Number
from resources.settings.sharing_settings import checked_address


class TableSettings(BaseModel):
    """Where tables are published, or where those that are searched here were published."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    publish_to: str = Field(
        "",
        description="Where a seed publishes the tables for homes that only read them: an address as for `store.remote`, or a "
        "folder. Keys and access are those of the remote. If empty, nothing is published.",
    )
    read_from: str = Field(
        "",
        description="Where another home publishes the tables that are searched here. This home then keeps a mirror of them, and "
        "cannot be seeded.",
    )
    refresh_seconds: Number = Field(
        60,
        ge=1,
        le=86_400,
        description="How often a service looks for a newer edition at `tables.read_from`; a command looks if nobody "
        "has for so long.",
    )
    keep_hours: Number = Field(
        1,
        gt=0,
        le=8_760,
        description="How long an edition stays after a newer one has followed it, where it was published and in mirrors: for "
        "readers that are fetching or using it.",
    )

    @field_validator("publish_to", "read_from")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        return checked_address(value)

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.publish_to and self.read_from:
            raise ValueError(
                "a home makes its tables and publishes them (publish_to), or reads those of another (read_from)"
            )
        return self
