"""A model of `benchmarks.data_value` behind a real server: samples of problems, rollouts, and merged weights to serve.

Every rollout is kept in a ledger below the folder: what was cut off goes on. Knows nothing of releases.
"""

import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Limits, Sampling
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
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
Plain = dict[str, Any]  # a sample, as JSON can hold it


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How problems are asked: as the attempts behind the releases were, behind their `examples`; or `is_bare`."""

    sampling: Sampling
    max_tokens: int
    rule: AnswerRule
    examples: tuple[Example, ...] = ()
    is_bare: bool = False

    def chat(self, prompt: str) -> list[Message]:
        """The messages; a bare prompt is what long chains of thought are trained behind."""
        return [{"role": "user", "content": prompt}] if self.is_bare else messages(prompt, examples=self.examples)


@asynccontextmanager
async def serving(policy: Policy, folder: Path) -> AsyncIterator[Sampler]:
    """A sampler over a server of the policy, which ends with the context; the ledger is below `folder`."""
    settings = ServerSettings(model=policy.model, dtype="float32", max_model_len=CONTEXT, max_sequences=IN_FLIGHT)
    with LocalServer(settings, log_path=folder / "server.log") as server:
        client = VLLMClient(server.url, model=server.model_name, settings=ClientSettings())
        async with Fleet([Worker(client=client, server=server)], FleetSettings()) as fleet:
            pool = Pool(fleet, capacity=IN_FLIGHT, settings=RetrySettings())
            with Ledger(UPath(folder / "ledger" / policy.name)) as ledger:
                yield Sampler(
                    policy=policy.name, engine=pool, tokenizer=policy.tokenizer, ledger=ledger, context=CONTEXT
                )


async def samples(problems: Sequence[Problem], sampler: Sampler, asking: Asking, *, n: int) -> list[list[Plain]]:
    """`n` verified samples of every problem; raises EngineError, and ValueError where the engine refuses a problem."""
    tokenizer = sampler.tokenizer
    limits = Limits(max_tokens=asking.max_tokens)

    with AnswerChecker() as checker:

        async def one(problem: Problem) -> list[Plain]:
            prompt = tokenizer.chat(asking.chat(problem.prompt))
            drawn = await sampler.draw(prompt, n=n, sampling=asking.sampling, limits=limits)
            decided = [await checker.check(each.text, problem.answer, rule=asking.rule) for each in drawn]
            return [
                {
                    "text": each.text,
                    "steps": step_texts(each.token_ids, step_ends(each.token_ids, tokenizer), tokenizer),
                    "extracted": decision.extracted,
                    "verdict": decision.verdict,
                    "tokens": len(each.token_ids),
                }
                for each, decision in zip(drawn, decided, strict=True)
            ]

        done = await run_recipe(one, problems, window=IN_FLIGHT)
    if done.failures:
        raise ValueError(f"{len(done.failures)} problems were refused, first: {done.failures[0].message}")
    return list(done.rows)


def merge(policy: Policy, adapter: Path, into: Path) -> None:
    """The policy's weights with an adapter in them, as a model folder that a server loads."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(policy.model, revision=policy.revision, dtype="float32")
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    merged.save_pretrained(into)
    AutoTokenizer.from_pretrained(policy.model, revision=policy.revision).save_pretrained(into)
    del model, merged
    gc.collect()
