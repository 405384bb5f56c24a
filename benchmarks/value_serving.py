"""Serves the models of `benchmarks.data_value` on a real server: verified samples, and merged weights to serve.

Every rollout is stored in a ledger in the stage's folder, so an interrupted run resumes.
"""

import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Limits, Sampling
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from generators.engine.slots import Slots
from generators.engine.tokenizer import Message
from generators.engine.worker import Worker
from generators.models.policy import Policy
from generators.problems.prompt import Example, messages
from generators.records import Problem
from generators.sampling.ledger import Ledger
from generators.sampling.runner import run_recipe
from generators.sampling.sampler import Sampler
from generators.sampling.steps import step_ends, step_texts

CONTEXT = 2048
IN_FLIGHT = 64
SampleJson = dict[str, Any]  # a sample as JSON data


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompting:
    """How problems are prompted: like the attempts of the releases, with their `examples`, or `is_bare`."""

    sampling: Sampling
    max_tokens: int
    rule: AnswerRule
    examples: tuple[Example, ...] = ()
    is_bare: bool = False

    def chat(self, prompt: str) -> list[Message]:
        """The messages; long chains of thought are trained on bare prompts."""
        return [{"role": "user", "content": prompt}] if self.is_bare else messages(prompt, examples=self.examples)


@asynccontextmanager
async def serving(policy: Policy, folder: Path) -> AsyncIterator[Sampler]:
    """A sampler over a server of the policy, which stops with the context; the ledger is in `folder`."""
    settings = ServerSettings(model=policy.model, dtype="float32", max_model_len=CONTEXT, max_sequences=IN_FLIGHT)
    with LocalServer(settings, log_path=folder / "server.log") as server:
        client = server.client()
        async with Fleet([Worker(client=client, server=server)], FleetSettings()) as fleet:
            pool = Pool(fleet, Slots(IN_FLIGHT), settings=RetrySettings())
            with Ledger(UPath(folder / "ledger" / policy.name)) as ledger:
                yield Sampler(
                    policy=policy.name, engine=pool, tokenizer=policy.tokenizer, ledger=ledger, context=CONTEXT
                )


async def samples(
    problems: Sequence[Problem], sampler: Sampler, prompting: Prompting, *, n: int
) -> list[list[SampleJson]]:
    """`n` verified samples per problem; raises EngineError, and ValueError if the engine refuses a problem."""
    tokenizer = sampler.tokenizer
    limits = Limits(max_tokens=prompting.max_tokens)

    with AnswerChecker() as checker:

        async def sample_problem(problem: Problem) -> list[SampleJson]:
            prompt = tokenizer.chat(prompting.chat(problem.prompt))
            drawn = await sampler.draw(prompt, n=n, sampling=prompting.sampling, limits=limits)
            decisions = [await checker.check(rollout.text, problem.golds, rule=prompting.rule) for rollout in drawn]
            return [
                {
                    "text": rollout.text,
                    "steps": step_texts(rollout.token_ids, step_ends(rollout.token_ids, tokenizer), tokenizer),
                    "extracted": decision.extracted,
                    "verdict": decision.verdict,
                    "tokens": len(rollout.token_ids),
                }
                for rollout, decision in zip(drawn, decisions, strict=True)
            ]

        done = await run_recipe(sample_problem, problems, window=IN_FLIGHT)
    if done.failures:
        raise ValueError(f"{len(done.failures)} problems were refused, first: {done.failures[0].message}")
    return list(done.rows)


def merge(policy: Policy, adapter: Path, into: Path) -> None:
    """Merge an adapter into the policy's weights, and save them as a model folder for a server."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(policy.model, revision=policy.revision, dtype="float32")
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    merged.save_pretrained(into)
    AutoTokenizer.from_pretrained(policy.model, revision=policy.revision).save_pretrained(into)
    del model, merged
    gc.collect()
