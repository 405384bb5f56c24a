"""The judge of labelled solutions: a model on servers of its own, or the policy itself; without settings there is none.

Knows how a judge is reached and sampled; not what it is asked.
"""

import dagster as dg
from pydantic import Field, ValidationInfo, field_validator

from dagster_project.resources.policy import Attachment, PolicyResource
from generators.engine.protocol import Sampling
from generators.process_labels.judge import JudgeConfig


class JudgeSettings(Attachment):
    """Which model judges, and how; without `urls` the policy judges its own solutions, on its own server.

    What may be in flight, and how long a server may stay silent, is as the policy's settings say.
    """

    model: str | None = Field(None, validate_default=True, description="the model that the servers at `urls` serve")
    temperature: float = Field(0.0, ge=0, description="sampling temperature")
    max_tokens: int = Field(2048, ge=1, description="tokens of a judgement at most")
    votes: int = Field(1, ge=1, description="judgements of one solution; most votes decide")

    @field_validator("revision", "tokenizer", "api_key_env", "model")
    @classmethod
    def _is_of_attached_servers(cls, value: str | None, info: ValidationInfo) -> str | None:
        urls = info.data.get("urls")
        if urls == [] and value is not None:
            raise ValueError(
                f"{info.field_name} must be left out where urls is empty, for then the policy judges: set urls too"
            )
        if urls and value is None and info.field_name == "model":
            raise ValueError("model must name what is served at urls")
        return value

    @field_validator("votes")
    @classmethod
    def _can_differ(cls, votes: int, info: ValidationInfo) -> int:
        if {"temperature", "max_tokens"} <= info.data.keys():
            _law(info.data["temperature"], info.data["max_tokens"], votes, seed=0)
        return votes

    def law(self, seed: int) -> JudgeConfig:
        """How the judge is sampled in the family of draws `seed`."""
        return _law(self.temperature, self.max_tokens, self.votes, seed=seed)


class JudgeResource(dg.ConfigurableResource):
    """The judge of a run, if the settings have one."""

    settings: JudgeSettings | None

    def server(self, policy: PolicyResource) -> PolicyResource:
        """What serves the judge: its own servers, attached to as a policy's are, or else the policy's."""
        if self.settings is None or not self.settings.urls:
            return policy
        own = self.settings.model_dump(include={*Attachment.model_fields, "model"})
        return PolicyResource(settings=policy.settings.model_copy(update=own), log_folder=policy.log_folder)


def _law(temperature: float, max_tokens: int, votes: int, *, seed: int) -> JudgeConfig:
    return JudgeConfig(sampling=Sampling(temperature=temperature, seed=seed), max_tokens=max_tokens, votes=votes)
