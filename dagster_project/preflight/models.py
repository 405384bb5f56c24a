"""What is wrong with the models of the settings: they do not exist, do not answer, are served otherwise, do not fit."""

import importlib.util
import os
from collections.abc import AsyncIterator

from dagster_project.preflight.memory import memory_findings
from dagster_project.resources.judge import JudgeSettings
from dagster_project.resources.policy import Attachment, PolicyResource
from dagster_project.resources.reward import RewardSettings
from generators.engine.errors import EngineError, EngineUnavailable
from generators.models.footprint import longest_context
from generators.models.policy import SIMULATED
from generators.preflight import Finding


async def model_findings(
    policy: PolicyResource, judge: PolicyResource, judging: JudgeSettings | None, reward: RewardSettings | None
) -> AsyncIterator[Finding]:
    """The findings on policy, judge and reward model; no server is started."""
    settings = policy.settings
    async for finding in _served(policy, "policy"):
        yield finding
    if settings.model != SIMULATED and not settings.urls:
        for finding in _started(policy):
            yield finding
    if judging is not None and judging.urls:
        async for finding in _served(judge, "judge"):
            yield finding
    if reward is not None and reward.url is None:
        try:
            longest_context(reward.model, reward.revision)
        except EngineError as error:
            yield Finding(field="reward.model", why=str(error), remedy="set it to a model folder or a Hub id")


async def _served(resource: PolicyResource, section: str) -> AsyncIterator[Finding]:
    """Whether there is such a model, and whether every server that runs already serves it, all with one context."""
    settings = resource.settings
    for finding in _key(settings, section):
        yield finding
    contexts: dict[str, int | None] = {}
    for client in resource.clients():
        async with client:
            try:
                contexts[client.url] = (await client.model_info()).max_model_len
            except EngineError as error:
                remedy = "start it, or correct the address" if isinstance(error, EngineUnavailable) else ""
                yield Finding(field=f"{section}.urls", why=str(error), remedy=remedy)
    if len(set(contexts.values())) > 1:
        listed = ", ".join(f"{url} ({context})" for url, context in contexts.items())
        yield Finding(
            field=f"{section}.urls",
            why=f"the servers have different contexts, {listed}, and only the shortest can be used",
            remedy="start them with one --max-model-len",
            blocks=False,
        )
    try:
        resource.identity().tokenizer.encode("a")
    except (EngineError, OSError, ValueError) as error:
        tokenizer = bool(settings.urls)
        field, remedy = (f"{section}.tokenizer", "set it to the model's folder or Hub id") if tokenizer else ("", "")
        yield Finding(field=field, why=str(error).strip().partition("\n")[0], remedy=remedy)


def _key(settings: Attachment, section: str) -> list[Finding]:
    name = settings.api_key_env
    if name is None or name in os.environ:
        return []
    why = f"names the variable {name}, which is not set"
    return [Finding(field=f"{section}.api_key_env", why=why, remedy="set the variable to the servers' key")]


def _started(policy: PolicyResource) -> list[Finding]:
    """Whether an engine of our own could start: vLLM is there, the context is the model's, and memory suffices."""
    settings, needs_server = policy.settings, policy.settings.engine == "vllm"
    if needs_server and importlib.util.find_spec("vllm") is None:
        why = "vLLM is not installed, so no server can be started"
        return [Finding(field="policy.urls", why=why, remedy="run `make setup`, or name servers that run")]
    try:
        identity = policy.identity()
        longest = longest_context(identity.model, identity.revision)
    except EngineError:
        return []  # `_served` names it
    findings = []
    if longest is not None and settings.max_model_len > longest and "--hf-overrides" not in settings.server_args:
        why = f"{settings.max_model_len} tokens are more than the {longest} that {settings.model} was made for"
        findings.append(Finding(field="policy.max_model_len", why=why, remedy=f"set it to at most {longest}"))
    return [*findings, *(memory_findings(settings, identity) if needs_server else ())]
