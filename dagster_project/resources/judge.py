"""The judge: a model on its own servers, or the policy itself. Without settings there is no judge."""

import dagster as dg
from pydantic import Field, PrivateAttr, ValidationInfo, field_validator

from dagster_project.resources.policy import Attachment, PolicyResource
from generators.models.judge import JudgeSampling


class JudgeSettings(Attachment):
    """Which model judges, and how. Without `urls` the policy judges its own solutions, on its own server.

    The policy's settings say how much may be in flight and how long a server may stay silent.
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
            JudgeSampling(temperature=info.data["temperature"], max_tokens=info.data["max_tokens"], votes=votes)
        return votes


class JudgeResource(dg.ConfigurableResource):
    """The judge of a run, if the settings have one."""

    settings: JudgeSettings | None

    _server: PolicyResource | None = PrivateAttr(default=None)

    @property
    def sampling(self) -> JudgeSampling | None:
        """How the judge is sampled; None without a judge."""
        if self.settings is None:
            return None
        return JudgeSampling(
            temperature=self.settings.temperature, max_tokens=self.settings.max_tokens, votes=self.settings.votes
        )

    def server(self, policy: PolicyResource) -> PolicyResource:
        """The judge's server: its own, or else the policy's."""
        if self.settings is None or not self.settings.urls:
            return policy
        if self._server is None:
            own = self.settings.model_dump(include={*Attachment.model_fields, "model"})
            self._server = PolicyResource(
                settings=policy.settings.model_copy(update=own),
                log_folder=policy.log_folder,
                weights_folder=policy.weights_folder,
                section="judge",
            )
        return self._server
