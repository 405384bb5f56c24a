"""The policy: a vLLM server that the run starts when it first needs it, other servers, or a model in this process.

One server serves every asset of a run and stops with it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

import dagster as dg
from pydantic import ConfigDict, Field, PrivateAttr, ValidationInfo, field_validator, model_validator
from upath import UPath

from dagster_project.partitions import round_of_run
from dagster_project.policies.record import POLICIES, ROUNDS, read_round
from generators.engine.address import Address, keep_credentials
from generators.engine.client import ClientSettings, ModelInfo, VLLMClient
from generators.engine.errors import EngineMisconfigured
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.in_process.engine import InProcessEngine, InProcessSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Engine
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings, check_arguments
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.slots import Slots
from generators.engine.worker import Recognise, Worker
from generators.models.licence import licence_of
from generators.models.policy import SIMULATED, Policy, attached, attached_name, identify, policy_name
from generators.models.weights import Weights

QUEUED_SHARE = 4  # beside so many sequences that our own server decodes, one more waits


class Attachment(dg.Config):
    """Servers that somebody else runs; without `urls` nothing is attached."""

    model_config = ConfigDict(extra="forbid")

    urls: list[str] = Field([], description="attach to these vLLM servers instead of starting one")
    revision: str | None = Field(None, description="the Hub revision; for attached servers, the name of the weights")
    tokenizer: str | None = Field(None, description="the tokenizer of attached servers, if it is not the model's id")
    api_key_env: str | None = Field(None, description="the environment variable that holds the servers' key")

    @field_validator("urls")
    @classmethod
    def _hold_no_credentials(cls, urls: list[str]) -> list[str]:
        """Credentials in a URL are kept elsewhere, for Dagster shows and stores settings."""
        return [keep_credentials(url) for url in urls]

    @field_validator("api_key_env")
    @classmethod
    def _is_the_only_key(cls, name: str | None, info: ValidationInfo) -> str | None:
        doubly = [url for url in info.data.get("urls", ()) if Address.of(url).authorization is not None]
        if name is not None and doubly:
            raise ValueError(
                f"api_key_env must be left out where a url holds credentials, as that of {doubly[0]} does: "
                "a request has room for one of them"
            )
        return name


class PolicySettings(Attachment):
    """Which model samples, where it is served, and how much is in flight."""

    model: str = Field(
        "embedded", description="`embedded`, `warmed_up`, `laboratory`, `simulated`, a model folder, or a Hub id"
    )
    licence: str | None = Field(
        None, description="the SPDX expression of the weights' licence, if the model's card does not state it"
    )
    engine: Literal["vllm", "in_process"] = Field(
        "vllm", description="what samples: a vLLM server, or this process, for models of a few million weights"
    )
    dtype: str = Field("auto", description="`auto`, `bfloat16` or `float32`; float32 repeats exactly on a CPU")
    max_model_len: int = Field(2048, ge=64, description="the context, in tokens")
    in_flight: int = Field(64, ge=1, description="sequences in flight over all servers")
    kv_cache_gib: float = Field(1.0, gt=0, description="key-value cache of a CPU server, in GiB")
    server_args: list[str] = Field([], description="further arguments of the server that is started")
    start_timeout_s: float = Field(600.0, gt=0, description="how long a server may take to start")
    stall_s: float = Field(120.0, gt=0, description="how long nothing may come back before a server counts as stalled")
    give_up_s: float = Field(300.0, gt=0, description="how long no server may answer before the run stops")
    max_restarts: int = Field(3, ge=0, description="how often a server that was started is started again")

    @field_validator("server_args")
    @classmethod
    def _leave_the_key(cls, server_args: list[str]) -> list[str]:
        check_arguments(server_args)
        return server_args

    @model_validator(mode="after")
    def _samples_somewhere(self) -> Self:
        if self.engine == "in_process" and (self.urls or self.model == SIMULATED):
            where = f"urls ({', '.join(self.urls)})" if self.urls else "the model 'simulated'"
            raise ValueError(f"engine must be 'vllm' with {where}, which samples by itself, got 'in_process'")
        return self

    def identity(self) -> Policy:
        """The policy that the settings name; raises EngineMisconfigured if there is no such model."""
        if self.urls:
            return attached(self.model, revision=self.revision, tokenizer=self.tokenizer)
        return identify(self.model, revision=self.revision)

    @property
    def stated_licence(self) -> str | None:
        """The licence of the weights, by the settings or by the model's card."""
        return self.licence or licence_of(self.model, self.revision)

    def of_round(self, root: UPath, round_key: str | None) -> "PolicySettings":
        """The settings with the policy that a loop recorded for a round; unchanged for any other round."""
        record = None if round_key is None else read_round(root, round_key)
        return self if record is None else self.of_folder(root, record.folder)

    def of_folder(self, root: UPath, folder: str | None) -> "PolicySettings":
        """The settings with the policy in a folder of trained policies; unchanged if it is None.

        Raises EngineMisconfigured if the folder is gone.
        """
        if folder is None:
            return self
        place = root / POLICIES / folder
        if not place.is_dir():
            raise EngineMisconfigured(
                f"the policy {place} is gone: restore it, or delete the files of its round and of later ones in "
                f"{root / ROUNDS} and run the loop again: it trains the policy once more"
            )
        return self.model_copy(update={"model": place.path, "revision": None})

    def name_now(self) -> str:
        """The current name of the policy; raises EngineMisconfigured, or EngineUnavailable without the Hub."""
        return (
            attached_name(self.model, self.revision) if self.urls else policy_name(self.model, revision=self.revision)
        )


@dataclass(frozen=True, slots=True)
class Served:
    """A policy that is being served: the pool of one stage's requests, and the context in tokens if it is known."""

    pool: Pool
    context: int | None


@dataclass(slots=True)
class _Open:
    """The engine that stages share, opened by the first and closed by the last of `users`."""

    users: int = 0
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    engine: Engine | None = None
    context: int | None = None
    slots: Slots | None = None
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)


class PolicyResource(dg.ConfigurableResource):
    """The policy of a run: its identity, and a pool over whatever serves it.

    Attached servers without a revision are recognised by a note of their weights in `weights_folder`. `section` is
    where the settings stand in the settings file. With `data_root`, the run of a round that a loop opened gets the
    policy of that round.
    """

    settings: PolicySettings
    log_folder: str
    weights_folder: str | None = None
    section: str = "policy"
    data_root: str | None = None

    _server: LocalServer | None = PrivateAttr(default=None)
    _open: _Open | None = PrivateAttr(default=None)
    _identity: Policy | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["PolicyResource"]:
        """Lend the policy of the run's round to one run, and stop the server that it started."""
        lent = self
        if self.data_root is not None and context.run is not None:
            lent = self.under(self.settings.of_round(UPath(self.data_root), round_of_run(context.run)))
        try:
            yield lent
        finally:
            lent.close()

    def under(self, settings: PolicySettings) -> "PolicyResource":
        """The same resource for the policy of other settings."""
        return PolicyResource(settings=settings, log_folder=self.log_folder, weights_folder=self.weights_folder)

    def close(self) -> None:
        """Stop the server that was started, if any."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def make_room(self, say: Callable[[str], None], *, on_gpu: bool) -> None:
        """Stop the server that was started while a model here needs the GPU; it starts again when it is needed.

        On a CPU it keeps running.
        """
        if on_gpu and self._server is not None:
            say("stopping the policy's server, which holds the GPU; it starts again when it is needed")
            self.close()

    def identity(self) -> Policy:
        """The policy that the settings name; raises EngineMisconfigured if there is no such model."""
        if self._identity is None:
            self._identity = self.settings.identity()
        return self._identity

    async def context(self) -> int | None:
        """The context in tokens, without starting a server; raises EngineError if attached servers do not answer."""
        settings = self.settings
        if settings.urls:
            contexts = [(await _served_by(client)).max_model_len for client in self.clients()]
            return min((context for context in contexts if context is not None), default=None)
        return SimulatedPolicy().max_model_len if settings.model == SIMULATED else settings.max_model_len

    def metadata(self) -> dict[str, dg.MetadataValue]:
        """The log of the server, if this run started one."""
        return {"server_log": dg.MetadataValue.path(str(self._server.log_path))} if self._server else {}

    @asynccontextmanager
    async def served(self, say: Callable[[str], None], *, rank: int = 0) -> AsyncIterator[Served]:
        """A pool over the policy, for the time of one stage; `say` logs the start of a server.

        Stages that are open at the same time share the engine and its slots; the lowest `rank` is served first.
        """
        shared = self._open = self._open or _Open()
        shared.users += 1
        try:
            async with shared.opening:
                if shared.engine is None:
                    shared.engine, shared.context = await self._engine(shared.stack, say)
            shared.slots = shared.slots or Slots(self.settings.in_flight + self._queued)
            yield Served(Pool(shared.engine, shared.slots, settings=RetrySettings(), rank=rank), shared.context)
        finally:
            shared.users -= 1
            if not shared.users:
                self._open = None
                await shared.stack.aclose()

    @property
    def _queued(self) -> int:
        """How many sequences wait at a server of our own, so that it replaces one that ends in its next step.

        Without them, it would decode one less until the client has heard of the end and sent another.
        """
        is_ours = not self.settings.urls and self.settings.model != SIMULATED
        return self.settings.in_flight // QUEUED_SHARE if is_ours else 0

    async def _engine(self, stack: AsyncExitStack, say: Callable[[str], None]) -> tuple[Engine, int | None]:
        """The engine, open until `stack` is closed, and its context in tokens."""
        settings = self.settings
        if settings.model == SIMULATED and not settings.urls:
            simulated = SimulatedPolicy()
            return simulated, simulated.max_model_len
        if settings.engine == "in_process" and not settings.urls:
            return await stack.enter_async_context(self._in_process()), settings.max_model_len
        fleet_settings = FleetSettings(
            stall_s=settings.stall_s, max_restarts=settings.max_restarts, give_up_s=settings.give_up_s
        )
        fleet = await stack.enter_async_context(Fleet(self._workers(say), fleet_settings))
        return fleet, (await fleet.model_info()).max_model_len

    def _in_process(self) -> InProcessEngine:
        policy, settings = self.identity(), self.settings
        return InProcessEngine(
            InProcessSettings(
                model=policy.model,
                revision=policy.revision,
                dtype=settings.dtype,
                max_model_len=settings.max_model_len,
                max_sequences=settings.in_flight,
            )
        )

    def _workers(self, say: Callable[[str], None]) -> list[Worker]:
        if self.settings.urls:
            recognise = self._recognise()
            return [Worker(client=client, recognise=recognise) for client in self.clients()]
        server = self._started(say)
        return [Worker(client=server.client(), server=server)]

    def _recognise(self) -> Recognise | None:
        if self.settings.revision is not None or self.weights_folder is None:
            return None
        policy = self.identity()
        file = UPath(self.weights_folder) / f"{policy.name}.json"
        return Weights(policy.name, file, policy.tokenizer, setting=f"{self.section}.revision").recognise

    def clients(self) -> list[VLLMClient]:
        """A client of every server that somebody else runs."""
        settings = self.settings
        key = dg.EnvVar(settings.api_key_env).get_value() if settings.api_key_env else None
        return [VLLMClient(url, model=settings.model, api_key=key, settings=ClientSettings()) for url in settings.urls]

    def _started(self, say: Callable[[str], None]) -> LocalServer:
        if self._server is None or not self._server.is_alive():
            policy = self.identity()
            server_settings = ServerSettings(
                model=policy.model,
                revision=policy.revision,
                dtype=self.settings.dtype,
                max_model_len=self.settings.max_model_len,
                max_sequences=self.settings.in_flight,
                kv_cache_gib=self.settings.kv_cache_gib,
                start_timeout_s=self.settings.start_timeout_s,
                extra_args=tuple(self.settings.server_args),
            )
            log_path = Path(self.log_folder) / f"vllm-{time.strftime('%Y%m%d-%H%M%S')}.log"
            self._server = LocalServer(server_settings, log_path=log_path)
            self._server.start(say)
        return self._server


async def _served_by(client: VLLMClient) -> ModelInfo:
    async with client:
        return await client.model_info()
