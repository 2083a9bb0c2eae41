"""The settings of answers to questions. Settings are read in `config`."""

from pydantic import BaseModel, ConfigDict, Field

from resources.settings.model_settings import Count


class AnswerSettings(BaseModel):
    """How questions are answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field("", description="A model for answers instead of `llm.model`, at the same address.")
    passages: Count = Field(
        8,
        ge=1,
        le=20,
        description="Maximum number of passages that an answer is made from. On XQuAD the passage with the answer is among the "
        "first eight for 99 of 100 questions; with a model, each further one costs about 250 tokens per question.",
    )
