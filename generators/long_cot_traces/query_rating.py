"""Which queries are worth a long chain of thought, where no pass rate says so: a judge's seven criteria, and a topic.

The query mix of BOLT (arXiv 2502.03860). The recipe rates one query; which rated ones stay is decided over all of them,
in `generators.long_cot_traces.mix`. Knows nothing of servers, files or Dagster: it is handed a sampler of the judge's
own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generators.engine.protocol import Limits, Sampling
from generators.engine.tokenizer import Message
from generators.long_cot_traces import query_criteria, query_topic
from generators.long_cot_traces.query_criteria import CRITERIA
from generators.long_cot_traces.query_topic import TOPICS
from generators.long_cot_traces.records import QueryRating
from generators.records import Problem, Rollout
from generators.sampling.sampler import Sampler

VERSION = "1"  # bump when a change here would change the ratings

_GREEDY = Sampling(temperature=0.0)
_DRESSING = r"[\s\-*•#>_`\"'.()0-9]*"
_YES_OR_NO = r"[\s*_`\"'(]*(yes|no|true|false|1|0)\b"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryMixConfig:
    """From how many met criteria on a query gets a topic, which topics there are, and how the judge is sampled."""

    least_criteria: int = 5
    topics: tuple[str, ...] = TOPICS
    sampling: Sampling = _GREEDY
    max_tokens: int = 120

    def __post_init__(self) -> None:
        if not 0 <= self.least_criteria <= len(CRITERIA):
            raise ValueError(f"least_criteria must be from 0 to {len(CRITERIA)}, got {self.least_criteria}")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}")
        if not self.topics or len({_plain(topic) for topic in self.topics}) < len(self.topics):
            raise ValueError(f"topics must be one or more different names, got {self.topics}")


async def rate(query: Problem, *, sampler: Sampler, config: QueryMixConfig) -> QueryRating:
    """What the judge says of a query; the topic is asked for only where enough criteria are met. Raises EngineError."""
    said = await _ask(query_criteria.messages(query.prompt), sampler, config)
    criteria = None if said.finish_reason == "length" else read_criteria(said.text)
    fault = None if criteria else _fault(said, "unreadable_criteria")
    topic = None
    if criteria and sum(criteria) >= config.least_criteria:
        named = await _ask(query_topic.messages(query.prompt, config.topics), sampler, config)
        topic = read_topic(named.text, config.topics)
        fault = None if topic else _fault(named, "unknown_topic")
    return QueryRating(problem_id=query.problem_id, criteria=criteria, topic=topic, fault=fault)


def read_criteria(text: str) -> tuple[bool, ...] | None:
    """The seven answers in the order of the criteria; None where one is missing or there are two that differ."""
    answers = []
    for name in CRITERIA:
        spelled = re.escape(name).replace("_", r"[\s_\-]+")
        line = rf"^{_DRESSING}{spelled}{_DRESSING}[:=—–-]{_YES_OR_NO}"
        found = {word.lower() in ("yes", "true", "1") for word in re.findall(line, text, re.IGNORECASE | re.MULTILINE)}
        if len(found) != 1:
            return None
        answers.append(found.pop())
    return tuple(answers)


def read_topic(text: str, topics: Sequence[str]) -> str | None:
    """The topic that the judge names, however it dresses it; None where it is none of the list, or several."""
    known = {_plain(topic): topic for topic in topics}
    lines = [_plain(line) for line in text.strip().splitlines() if line.strip()]
    named = {known[line] for line in (_plain(line.removeprefix("topic")) for line in lines) if line in known}
    return named.pop() if len(named) == 1 else None


async def _ask(chat: Sequence[Message], sampler: Sampler, config: QueryMixConfig) -> Rollout:
    limits = Limits(max_tokens=config.max_tokens)
    (said,) = await sampler.draw(sampler.tokenizer.chat(chat), n=1, sampling=config.sampling, limits=limits)
    return said


def _fault(said: Rollout, otherwise: str) -> str:
    return "judge_truncated" if said.finish_reason == "length" else otherwise


def _plain(text: str) -> str:
    """A name without case, numbering and punctuation."""
    return " ".join(re.findall(r"[^\W\d_]+", text.casefold()))
