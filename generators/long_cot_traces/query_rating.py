"""A judge rates a query by seven criteria and a topic, for problems without a pass rate to choose by.

The ratings of BOLT's query mix (arXiv 2502.03860). `generators.long_cot_traces.mix` decides over all ratings which
queries stay.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generators.engine.protocol import Limits, Sampling
from generators.engine.tokenizer import Message
from generators.long_cot_traces import query_criteria, query_topic
from generators.long_cot_traces.query_criteria import CRITERIA
from generators.long_cot_traces.query_topic import bare_name
from generators.long_cot_traces.records import QueryRating
from generators.long_cot_traces.settings import Settings
from generators.records import Problem, Rollout
from generators.sampling.sampler import Sampler

VERSION = "1"  # bump when a change here would change the ratings

_DRESSING = r"[\s\-*•#>_`\"'.()0-9]*"
_YES_OR_NO = r"[\s*_`\"'(]*(yes|no|true|false|1|0)\b"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryMixConfig:
    """The settings, and how the judge is sampled."""

    sampling: Sampling
    max_tokens: int
    settings: Settings


async def rate(query: Problem, *, sampler: Sampler, config: QueryMixConfig) -> QueryRating:
    """Rate a query; the judge names a topic only where enough criteria are met. Raises EngineError."""
    settings = config.settings
    reply = await _ask(query_criteria.messages(query.prompt), sampler, config)
    criteria = None if reply.finish_reason == "length" else read_criteria(reply.text)
    fault = None if criteria else _fault(reply, "unreadable_criteria")
    topic = None
    if criteria and sum(criteria) >= settings.least_criteria:
        reply = await _ask(query_topic.messages(query.prompt, settings.topics), sampler, config)
        topic = read_topic(reply.text, settings.topics)
        fault = None if topic else _fault(reply, "unknown_topic")
    return QueryRating(problem_id=query.problem_id, criteria=criteria, topic=topic, fault=fault)


def read_criteria(text: str) -> tuple[bool, ...] | None:
    """The seven answers in the order of the criteria; None if an answer is missing or contradicts itself."""
    answers = []
    for name in CRITERIA:
        spelled = re.escape(name).replace("_", r"[\s_\-]+")
        line = rf"^{_DRESSING}{spelled}{_DRESSING}[:=—–-]{_YES_OR_NO}"
        words = re.findall(line, text, re.IGNORECASE | re.MULTILINE)
        met = {word.lower() in ("yes", "true", "1") for word in words}
        if len(met) != 1:
            return None
        answers.append(met.pop())
    return tuple(answers)


def read_topic(text: str, topics: Sequence[str]) -> str | None:
    """The topic that a reply names, whatever the text around it; None if it names none of the list, or several."""
    known = {bare_name(topic): topic for topic in topics}
    lines = [bare_name(line) for line in text.strip().splitlines() if line.strip()]
    named = {known[line] for line in (bare_name(line.removeprefix("topic")) for line in lines) if line in known}
    return named.pop() if len(named) == 1 else None


async def _ask(chat: Sequence[Message], sampler: Sampler, config: QueryMixConfig) -> Rollout:
    limits = Limits(max_tokens=config.max_tokens)
    (reply,) = await sampler.draw(sampler.tokenizer.chat(chat), n=1, sampling=config.sampling, limits=limits)
    return reply


def _fault(reply: Rollout, otherwise: str) -> str:
    return "judge_truncated" if reply.finish_reason == "length" else otherwise
