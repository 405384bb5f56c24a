"""What is known before anything is drawn, from the resources of a run: its models as readers of prompts."""

from collections.abc import Callable, Sequence
from typing import Any

from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.reward import RewardResource
from generators.engine.errors import EngineUnavailable
from generators.engine.tokenizer import HFTokenizer
from generators.models.footprint import longest_context
from generators.preflight import Preflight, Reader
from generators.problems.settings import Source
from generators.records import Problem

SAMPLED = 64  # problems whose prompts are measured


def sampled(problems: Sequence[Problem]) -> list[Problem]:
    """Up to `SAMPLED` of the problems; ids are hashes, so the first ids are a random sample."""
    return sorted(problems, key=lambda problem: problem.problem_id)[:SAMPLED]


async def preflight(
    source: Source,
    problems: Sequence[Problem],
    *,
    seed: int,
    most_failed: float,
    settings: Callable[[str], Any],
    policy: PolicyResource,
    judge: JudgeResource,
    reward: RewardResource,
) -> Preflight:
    """What is known of a source under the resources of a run; raises EngineMisconfigured.

    The context of servers that do not answer now is unknown; whoever needs one of them raises.
    """
    return Preflight(
        source=source,
        problems=sampled(problems),
        seed=seed,
        most_failed=most_failed,
        settings=settings,
        policy=await reader(policy, "the policy"),
        judge=None if judge.settings is None else await reader(judge.server(policy), "the judge"),
        judging=judge.sampling,
        reward=_reward_reader(reward),
    )


async def reader(resource: PolicyResource, name: str) -> Reader:
    """A served model as a reader of prompts."""
    settings = resource.settings
    bound = "as its servers say" if settings.urls else "policy.max_model_len"
    try:
        context = await resource.context()
    except EngineUnavailable:
        context = None
    return Reader(name=name, tokenizer=resource.identity().tokenizer, context=context, bound=bound)


def _reward_reader(reward: RewardResource) -> Reader | None:
    settings = reward.settings
    if settings is None or settings.url is not None:
        return None
    return Reader(
        name="the reward model",
        tokenizer=HFTokenizer(settings.model, revision=settings.revision),
        context=longest_context(settings.model, settings.revision),
        bound="its max_position_embeddings",
    )
