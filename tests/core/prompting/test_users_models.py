"""Models of users: what their validators refuse is not taken for a wrong type, and their code can do no harm."""

import datetime as dt
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from resources.errors import DocumentError
from seed_assets.core.prompting import users_models
from seed_assets.core.prompting.users_models import refused_by_validators, refused_values, validated


class Lease(BaseModel):
    """A model whose validators do what its values say."""

    tenant: str
    begins: dt.date | None = None
    ends: dt.date | None = None

    @field_validator("tenant")
    @classmethod
    def _behaves(cls, value: str) -> str:
        match value:
            case "custom":
                raise PydanticCustomError("no_tenant", "there is no such tenant")
            case "asserts":
                raise AssertionError("nobody lives there")
            case "fails":
                return value[100]
            case "exits":
                raise SystemExit(3)
            case "hangs":
                while True:
                    pass
            case _:
                return value

    @model_validator(mode="after")
    def _in_order(self) -> "Lease":
        if self.begins and self.ends and self.ends < self.begins:
            raise ValueError("it ends before it begins")
        return self


@pytest.mark.parametrize(
    ("value", "by_validators", "said"),
    [
        ({"tenant": "custom"}, True, ["tenant: there is no such tenant"]),
        ({"tenant": "asserts"}, True, ["tenant: Assertion failed, nobody lives there"]),
        (
            {"tenant": "Ada", "begins": "2026-02-01", "ends": "2026-01-01"},
            True,
            ["the row: Value error, it ends before it begins"],
        ),
        ({"tenant": 5}, False, ["tenant: Input should be a valid string"]),
        ({"begins": "2026-02-01"}, False, []),
    ],
)
def test_what_validators_refuse_is_told_apart_from_what_has_another_type(
    value: Any, by_validators: bool, said: list[str]
) -> None:
    """What a document does not say is not refused, and another type is no matter of validators."""
    with pytest.raises(ValidationError) as refused:
        validated(Lease, value, strict=True)
    assert (refused_by_validators(refused.value), refused_values(refused.value)) == (by_validators, said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tenant", "said"),
    [
        ("fails", "IndexError: string index out of range"),
        ("exits", "SystemExit: 3"),
        ("hangs", "it took longer than 1 seconds"),
    ],
)
def test_a_validator_whose_code_fails_is_named(tenant: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash would end a seed, and the answer that was paid for would be lost with it."""
    monkeypatch.setattr(users_models, "_MOST_SECONDS", 1)
    with pytest.raises(DocumentError, match=rf"the validators of .*:Lease failed: {said}") as failed:
        validated(Lease, {"tenant": tenant}, strict=True)
    assert failed.value.transient
