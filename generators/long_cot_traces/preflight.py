"""What can be told of long chains of thought before any is drawn: whether the models that read them have the room."""

from collections.abc import Iterator

from generators.engine.errors import EngineMisconfigured
from generators.long_cot_traces import behaviour_prompt, query_criteria, query_topic
from generators.long_cot_traces.behaviours import KINDS
from generators.long_cot_traces.samples import prompt_of
from generators.long_cot_traces.settings import Settings
from generators.models.reward import conversation
from generators.preflight import Finding, Preflight


def preflight(known: Preflight, settings: Settings) -> Iterator[Finding]:
    """Whether worked examples, problem and answer fit the policy's context, and questions those of the other models."""
    yield from _prompts(known, settings)
    yield from _rewarded(known, settings)
    problems = known.problems
    if known.source.query_mix == "criteria":
        rated = [query_criteria.messages(problem.prompt) for problem in problems]
        rated += [query_topic.messages(problem.prompt, settings.topics) for problem in problems]
        yield from known.judged(rated, written=0, what="questions about problems")
    if settings.judge_behaviours:
        counted = [behaviour_prompt.messages(problem.prompt, "", kind) for problem in problems for kind in KINDS]
        yield from known.judged(counted, written=settings.max_tokens, what="questions about thoughts")


def _prompts(known: Preflight, settings: Settings) -> Iterator[Finding]:
    prompt, tokenizer = prompt_of(known, settings), known.policy.tokenizer
    try:
        lengths = [len(prompt(problem, tokenizer)) for problem in known.problems]
    except EngineMisconfigured as lossy:
        yield Finding(field="long_cot_traces", why=str(lossy).removeprefix("long_cot_traces: "))
        return
    what = f"prompts with examples = {settings.examples!r}"
    remedy = "lower quality.longest_prompt"
    if settings.worked_examples:
        what += f" (per_prompt = {settings.per_prompt})"
        remedy = "lower long_cot_traces.per_prompt, set examples = 'short' or 'none'"
    yield from known.fits(
        lengths,
        known.policy,
        field="long_cot_traces.examples",
        what=what,
        limit=("long_cot_traces.max_tokens", settings.max_tokens),
        remedy=remedy,
    )


def _rewarded(known: Preflight, settings: Settings) -> Iterator[Finding]:
    """Whether the reward model has room for the solutions of problems without answers."""
    reader = known.reward
    open_ended = [problem.prompt for problem in known.problems if not problem.has_answer]
    if reader is None or reader.context is None or not open_ended:
        return
    longest = max(reader.length(conversation(prompt, "")) for prompt in open_ended)
    if longest + settings.max_tokens > reader.context:
        yield Finding(
            field="reward.model",
            why=f"a problem of source {known.source.name} and an answer of {settings.max_tokens} tokens "
            f"(long_cot_traces.max_tokens) take {longest + settings.max_tokens} tokens, and {reader.name} reads "
            f"{reader.context} ({reader.bound}): longer ones are refused",
            remedy=f"lower long_cot_traces.max_tokens by {longest + settings.max_tokens - reader.context}, or take a "
            "reward model with a longer context",
            blocks=longest >= reader.context,
        )
