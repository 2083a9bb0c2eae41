"""The settings of stages from modules of the user. Settings are read in `config`, and modules in seed_assets.own_stages."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from resources.settings.model_settings import Count


def _named(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise ValueError(
                f"{name!r} is not the name of a module. Write it as in an `import` statement: `my_stages` for my_stages.py, "
                "`package.module` for a module in a package"
            )
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"{twice} is listed twice")
    return names


class StageSettings(BaseModel):
    """Stages that the user adds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    modules: Annotated[tuple[str, ...], AfterValidator(_named)] = Field(
        (),
        description="Python modules with stages of your own, beside seedbank.toml or installed: see docs/extending.md. They are "
        "code that runs with your rights.",
    )
    import_seconds: Count = Field(
        60,
        ge=1,
        le=3_600,
        description="How long importing one of these modules may take, in seconds. Importing a large library may take half a "
        "minute; a module that takes longer probably hangs.",
    )
    document_seconds: Count = Field(
        600,
        ge=1,
        le=86_400,
        description="How long the code of a stage in these modules may take for one document, in seconds, without the time in "
        "which it waits for a model. A document that takes longer fails by its name, and the others do not.",
    )
