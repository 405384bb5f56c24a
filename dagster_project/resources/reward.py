"""The outcome reward model for problems without answers: on a server that somebody else runs, or in this process.

Without settings there is none.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dagster as dg
from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from generators.engine.address import Address, keep_credentials
from generators.models.reward import RewardModel
from generators.models.reward_model import LocalRewardModel, RewardModelSettings
from generators.models.reward_server import Endpoint, RewardServer, RewardServerSettings


class RewardSettings(dg.Config):
    """Which reward model scores solutions, and where; without `url` it is loaded into the run's own process."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = Field(None, description="the vLLM server of the model; left out, `model` is loaded here")
    model: str = Field(description="a model folder or a Hub id; at `url`, the model that is served")
    endpoint: Endpoint = Field("pooling", description="which of the server's endpoints to call")
    revision: str | None = Field(None, description="the Hub revision of a model that is loaded here")
    api_key_env: str | None = Field(None, description="the environment variable that holds the server's key")
    in_flight: int = Field(32, ge=1, description="requests in flight at the server")
    batch_tokens: int = Field(16_384, ge=1, description="tokens of a batch of a model that is loaded here")

    @field_validator("url")
    @classmethod
    def _holds_no_credentials(cls, url: str | None) -> str | None:
        """Credentials in a URL are kept elsewhere, for Dagster shows and stores settings."""
        return None if url is None else keep_credentials(url)

    @field_validator("model")
    @classmethod
    def _is_named(cls, model: str) -> str:
        if not model:
            raise ValueError("model must name a folder, a Hub id, or what is served at url")
        return model

    @field_validator("revision", "api_key_env")
    @classmethod
    def _fits_backend(cls, value: str | None, info: ValidationInfo) -> str | None:
        served = info.data.get("url") is not None
        if value is not None and served == (info.field_name == "revision"):
            condition = "without url, for the server has its own" if served else "with url, where a key is asked for"
            raise ValueError(f"{info.field_name} may be set only {condition}")
        if value is not None and served and Address.of(info.data["url"]).authorization is not None:
            raise ValueError("api_key_env must be left out where url holds credentials: a request has room for one")
        return value


class RewardResource(dg.ConfigurableResource):
    """The reward model of a run, if the settings have one."""

    settings: RewardSettings | None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[RewardModel | None]:
        """The model for the time of one asset; a model in this process is loaded with the first solution."""
        settings = self.settings
        if settings is None:
            yield None
        elif settings.url is None:
            yield LocalRewardModel(
                RewardModelSettings(
                    model=settings.model, revision=settings.revision, batch_tokens=settings.batch_tokens
                )
            )
        else:
            key = dg.EnvVar(settings.api_key_env).get_value() if settings.api_key_env else None
            server_settings = RewardServerSettings(
                url=settings.url, model=settings.model, endpoint=settings.endpoint, in_flight=settings.in_flight
            )
            async with RewardServer(server_settings, api_key=key) as server:
                yield server
