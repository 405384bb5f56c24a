"""The evaluation of a loop's policies: each solves the evaluation problems once, and its name keeps the results."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from dagster_project.freshness import file_of
from dagster_project.partitions import Cell
from dagster_project.policies.names import POLICY_EVALUATION
from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.reward import RewardResource
from dagster_project.resources.store import Store
from dagster_project.running.listener import Listener, Table
from dagster_project.settings.file import Settings
from dagster_project.settings.loop import LoopSettings
from dagster_project.slice import RunSlice
from dagster_project.slice_log import SliceLog
from filters.answers.checker import AnswerChecker
from generators.attempts.recipe import AttemptsConfig
from generators.attempts.stage import STAGE as ATTEMPTS
from generators.engine.errors import EngineMisconfigured
from generators.engine.protocol import Sampling
from generators.evaluation.figures import Evaluation
from generators.evaluation.recipe import VERSION, ProblemResult, evaluated
from generators.problems.loading import load_problems
from generators.problems.settings import EvaluationSetSettings, Source
from generators.problems.table import problems_of
from generators.records import Problem
from generators.sampling.progress import Snapshot
from generators.sampling.storage import read_bytes, write_bytes

CELL = Cell(round="evaluation", slice="problems")  # a policy is evaluated once, whichever rounds it draws
SEED = 0


Usage = Mapping[str, str | float | int]  # as `Workbench.usage` gives it


class _Progress(Listener):
    """Passes on how far the evaluation is."""

    def __init__(self, hear: Callable[[Snapshot], None]) -> None:
        self._hear = hear

    def progressed(self, table: Table, snapshot: Snapshot) -> None:
        self._hear(snapshot)


@dataclass(frozen=True, kw_only=True)
class Evaluator:
    """Evaluates policies under some settings with a loop."""

    settings: Settings
    loop: LoopSettings
    store: Store

    @property
    def sets(self) -> list[EvaluationSetSettings]:
        """The evaluation sets whose problems are solved."""
        names = self.loop.evaluation.sets
        return [one for one in self.settings.evaluation_sets if not names or one.problems.name in names]

    @property
    def prompted_as(self) -> Source:
        """The source whose worked examples and answer rule the problems get."""
        name = self.loop.evaluation.prompted_as
        return next(source for source in self.settings.sources if name in (None, source.name))

    @property
    def made_from(self) -> str:
        """The digest of everything but the policy that an evaluation follows from."""
        source, attempts, sets = self.prompted_as, self.settings.of(ATTEMPTS), self.sets
        inputs = {
            "version": VERSION,
            "sets": [one.model_dump(mode="json") for one in sets],
            "files": [file_of(one.problems) for one in sets],
            "examples": [str(one) for one in source.examples],
            "rule": str(source.answer_rule),
            "attempts": [attempts.temperature, attempts.top_p, attempts.max_tokens],
            "samples": self.loop.evaluation.samples,
            "context": self.settings.policy.max_model_len,
        }
        return hashlib.blake2b(json.dumps(inputs, sort_keys=True).encode(), digest_size=8).hexdigest()

    def stored(self, policy: str) -> Evaluation | None:
        """The evaluation of a policy; None if there is none under these settings. Raises StorageError."""
        content = read_bytes(self.store.evaluation(policy))
        known = None if content is None else Evaluation.of(content)
        if known is None or known.made_from != self.made_from:
            return None
        return replace(known, k=self.loop.evaluation.k)

    async def evaluate(
        self, policy: PolicyResource, *, run_id: str, log: SliceLog, hear: Callable[[Snapshot], None]
    ) -> tuple[Evaluation, Usage]:
        """Solve every problem with a policy and keep the result; rollouts in the ledger are not drawn again.

        `hear` gets how far it is. Returns what was drawn, too.
        Raises EngineError, SourceError and StorageError.
        """
        problems = await self.problems()
        work = RunSlice(
            asset=POLICY_EVALUATION,
            run_id=run_id,
            log=log,
            all_settings=self.settings,
            store=self.store,
            cell=CELL,
            policy_resource=policy,
            judge_resource=JudgeResource(settings=None),
            reward_resource=RewardResource(settings=None),
            listener=_Progress(hear),
        )
        source, attempts = self.prompted_as, self.settings.of(ATTEMPTS)
        config = AttemptsConfig(
            n=self.loop.evaluation.samples,
            sampling=Sampling(temperature=attempts.temperature, top_p=attempts.top_p, seed=SEED),
            max_tokens=attempts.max_tokens,
            examples=source.examples,
        )
        results: list[ProblemResult] = []
        async with work.workbench(unit="problems", total=len(problems)) as bench:
            recipe = partial(
                evaluated, sampler=bench.sampler, checker=bench.checker, rule=source.answer_rule, config=config
            )
            failures = await bench.each(recipe, problems, results.append)
        if failures:
            raise EngineMisconfigured(
                f"{len(failures)} of {len(problems)} evaluation problems were refused, the first with: "
                f"{failures[0].message}; raise policy.max_model_len, or take shorter problems"
            )
        evaluation = Evaluation(
            policy=work.policy.name, made_from=self.made_from, k=self.loop.evaluation.k, problems=tuple(results)
        )
        write_bytes(self.store.evaluation(evaluation.policy), evaluation.to_json())
        return evaluation, bench.usage()

    async def problems(self) -> list[Problem]:
        """The problems of the sets, each once; raises SourceError."""
        found: dict[str, Problem] = {}
        with AnswerChecker() as checker:
            for one in self.sets:
                loaded = await load_problems(one.problems, checker=checker, rule=self.prompted_as.answer_rule)
                found |= {problem.problem_id: problem for problem in problems_of(loaded.kept)}
        return list(found.values())
