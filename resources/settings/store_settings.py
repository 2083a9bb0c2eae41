"""The settings of the store: its place and size, how long unused results are kept, and with whom they are shared.

Settings are read in `config`; what the rules mean is in `io_managers.store.retention`.
"""

from pathlib import Path

from pydantic import Field, field_validator

from io_managers.store.retention.rules import Rules
from resources.settings.model_settings import Count, Number
from resources.settings.sharing_settings import SharingSettings


class StoreSettings(SharingSettings):
    """Where finished results are kept, how long, how much space they may take, and with whom they are shared."""

    directory: str = Field(
        "",
        description="The folder of the store, such as one on a larger or faster disk. It belongs to one home. If empty, "
        "it is `store/` in the home.",
    )
    enabled: bool = Field(
        True,
        description="Whether runs use stored results. If not, each run computes all that it visits again and pays for it, as "
        "with `--no-cache`. Results are stored in either case, so that nothing paid is lost.",
    )
    ttl_days: dict[str, Number] = Field(
        {},
        description="For how many days an unused result of a stage is kept: stage = days. Without an entry, paid results are "
        "kept for ever. What is published is in use, however old it is.",
    )
    free_ttl_days: Number = Field(
        30,
        ge=0,
        description="The same for results of other stages that cost no money and were replaced by newer ones; 0 keeps them.",
    )
    grace_days: Number = Field(
        7,
        ge=0,
        description="What was computed or used within so many days is not removed by `seedbank cache gc`, not even if the store "
        "is too large.",
    )
    limit_mb: Count = Field(
        0,
        ge=0,
        description="The size of the store, in MB, above which `seedbank cache gc` removes unused results: first those that are "
        "the cheapest to compute again per byte. 0 is no limit.",
    )
    quarantine_days: Number = Field(
        30, ge=0, description="For how many days damaged values that were set aside are kept; 0 keeps them for ever."
    )
    warn_free_mb: Count = Field(
        1_024, ge=0, description="A run warns once if less is free on the disk of the store, in MB; 0 never warns."
    )
    least_free_mb: Count = Field(
        64,
        ge=16,
        description="With less free space, in MB, no run starts, and a run that is under way stops before it computes or sends "
        "anything more. The default holds the results of about 1,000 documents.",
    )

    @field_validator("ttl_days")
    @classmethod
    def _days_are_positive(cls, value: dict[str, float]) -> dict[str, float]:
        for stage, days in value.items():
            if days < 0:
                raise ValueError(f"{stage} = {days}: days must be 0 (keep for ever) or more")
        return value

    @property
    def place(self) -> Path | None:
        """The path of `directory`; None if it is not set."""
        return Path(self.directory).expanduser().absolute() if self.directory else None

    def rules(self) -> Rules:
        """The rules of a collection."""
        return Rules(self.ttl_days, self.free_ttl_days, self.grace_days, self.limit_mb << 20, self.quarantine_days)
