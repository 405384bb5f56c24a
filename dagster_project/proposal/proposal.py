"""A settings file for somebody's own problems: what was detected, with the evidence, and the file that follows."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
from jinja2 import Environment, StrictUndefined, Template

from dagster_project.proposal.columns import AnswerTrial, Columns, detect_columns
from dagster_project.proposal.model import Model, model_of
from dagster_project.proposal.samples import Sample, sample_of
from dagster_project.proposal.sizes import CPU_PROBLEMS, FEW, PER_SLICE, Sizes, sizes_of
from filters.answers.kinds.quantities import plain_number
from filters.rules import apply_rules
from filters.texts.language import check_language, in_language, language_of
from generators.problems import turns
from generators.problems.paths import value_at
from generators.problems.presets import PRESETS
from generators.problems.source import ColumnMapping, SourceError, tests_in
from generators.problems.word_problems import EXAMPLES as WORD_PROBLEMS
from releases.licences import terms_of

_MEASURED = 64  # prompts whose tokens are counted
_SURE = 0.95  # the share of prompts that must be in a language, for the settings to demand it
_TOLERATED = 0.05  # the share of answers that may fail to verify by default


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """One thing that was detected: what it is, its value, and what shows it."""

    what: str
    value: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a settings file follows from: rows and columns of the problems, and the policy that will solve them.

    `language` is None where no language is sure; `prompts_in_language` counts the prompts that are in the likeliest.
    """

    sample: Sample
    columns: Columns
    model: Model
    sizes: Sizes
    reward: str | None
    language: str | None
    likeliest: str
    has_examples: bool
    prompts_in_language: int
    prompts: int

    def detected(self) -> Iterator[Detected]:
        """Everything that was seen, in the order of the file."""
        sample, answer, sizes = self.sample, self.columns.answer, self.sizes
        total = "an unknown number of" if sample.total is None else f"{sample.total}"
        place = ", ".join(f"{field} {value}" for field, value in sample.fields.items() if field in ("config", "split"))
        rows = f"{total} rows{f' ({place})' if place else ''}, {len(sample.rows)} of them read"
        yield Detected(what="source", value=sample.label, evidence=rows)
        if self.columns.preset:
            place = "its id on the Hub" if "dataset" in sample.fields else "the name of the file"
            yield Detected(what="preset", value=self.columns.preset, evidence=f"by {place}, and by its columns")
        mapping = self.columns.mapping
        asked = ", ".join(f"`{column}`" for column in mapping.prompts)
        yield Detected(what="prompt", value=f"column {asked}", evidence=self.columns.why_prompt)
        if mapping.choices:
            why = "its choices become part of the prompt"
            yield Detected(what="choices", value=f"column `{mapping.choices}`", evidence=why)
        if answer is None:
            yield Detected(what="answer", value="none", evidence="no column reads as an answer in any format")
        else:
            value = f"column `{answer.column}`, format {answer.format}"
            yield Detected(what="answer", value=value, evidence=_evidence(answer))
        for other in self.columns.trials:
            if other is not answer:
                value = f"column `{other.column}`, format {other.format}"
                yield Detected(what="not chosen", value=value, evidence=_evidence(other))
        if mapping.level:
            why = f"by the preset {self.columns.preset}" if self.columns.preset else "by its name"
            yield Detected(what="level", value=f"column `{mapping.level}`", evidence=why)
        yield Detected(what="language", value=self.language or "not sure", evidence=self.why_language)
        yield Detected(what="licence", value=self.licence or "not found", evidence=self.why_licence)
        yield from self._of_the_model()
        if self.has_examples:
            why = "a small policy, sentences as problems and numbers as answers"
            yield Detected(what="examples", value="word_problems", evidence=why)
        worked = f", worked solutions mostly up to {sizes.worked}" if sizes.worked else ""
        yield Detected(
            what="tokens",
            value=f"{sizes.max_tokens} for a solution",
            evidence=f"prompts have {sizes.longest_prompt} at most{worked}, the context {sizes.max_model_len}",
        )
        long_cot = sizes.long_cot
        yield Detected(
            what="long chains",
            value=f"examples = {long_cot.settings.examples}, {long_cot.max_tokens} tokens for an answer",
            evidence=f"prompts have {long_cot.longest_prompt} at most with them",
        )

    def _of_the_model(self) -> Iterator[Detected]:
        model = self.model
        context = "does not say its context" if model.context is None else f"was made for {model.context} tokens"
        size = f", {model.size.parameters / 1e6:,.0f} million parameters" if model.size else ""
        place = "a GPU" if model.on_gpu else "the CPU"
        yield Detected(what="policy", value=model.setting, evidence=f"{context}{size}; a server would run on {place}")

    @property
    def licence(self) -> str | None:
        """The licence of the problems: what the card of a Hub dataset says, if its terms are known, or the preset."""
        known = terms_of(self.sample.licence) != "unknown"
        return self.sample.licence if known else self._preset_licence

    @property
    def _preset_licence(self) -> str | None:
        return PRESETS[self.columns.preset].licence if self.columns.preset else None

    @property
    def why_licence(self) -> str:
        """What the licence follows from, or why there is none."""
        if self.licence is not None and self.licence == self._preset_licence:
            return f"that of the set {self.columns.preset}; correct it if these problems are others"
        if self.sample.fields["kind"] == "file":
            return "a file names none: fill in the SPDX id of the problems' licence"
        if self.sample.licence is None:
            return "the card names none: fill in the SPDX id of the problems' licence"
        return f"the card says {self.sample.licence}" + ("" if self.licence else ", which has no known terms")

    @property
    def why_language(self) -> str:
        """How many prompts are in the likeliest language."""
        return f"{self.prompts_in_language} of {self.prompts} prompts pass as {self.likeliest}, the likeliest language"

    def toml(self) -> str:
        """The settings file."""
        sample, answer, sizes = self.sample, self.columns.answer, self.sizes
        limit = None if self.model.on_gpu or (sample.total or CPU_PROBLEMS + 1) <= CPU_PROBLEMS else CPU_PROBLEMS
        problems = limit or sample.total or 0
        context = {
            "label": sample.label,
            "name": sample.name,
            "data_root": f"data_{sample.name}",
            "model": self.model,
            "sizes": sizes,
            "fields": sample.fields,
            "preset": self.columns.preset,
            "columns": _inline(self.columns.mapping),
            "rule": PRESETS[self.columns.preset].rule if self.columns.preset else {},
            "licence": self.licence,
            "no_licence": self.why_licence,
            "language": self.language,
            "no_language": self.why_language,
            "bare_last_number": self.model.is_small and answer is not None and _are_numbers(answer),
            "has_examples": self.has_examples,
            **_unverified(answer),
            "has_answers": answer is not None,
            "reward": self.reward,
            "judge_tokens": max(1, min(1024, (sizes.max_model_len - sizes.longest_prompt) // 2)),
            "limit": limit,
            "total": "an unknown number" if sample.total is None else sample.total,
            "shards": -(-problems // PER_SLICE) if self.model.on_gpu else 1,
            "is_few": 0 < problems < FEW,
            "few": FEW,
            "response_tokens": min(2 * sizes.max_tokens, sizes.max_model_len - sizes.longest_prompt),
            "first_budget": max(1, sizes.max_tokens // 2),
            "solution_tokens": max(1024, sizes.longest_prompt + sizes.max_tokens),
        }
        return _template().render(context)


def propose(
    source: str, *, model: str, beside: Path, prompt: str | None, answer: str | None, reward: str | None
) -> Proposal:
    """Look at rows and model; raises SourceError or EngineError.

    `beside` is the folder of the settings file, `prompt` and `answer` are columns that the user names, `reward` is the
    model that scores solutions of problems without answers.
    """
    sample = sample_of(source, beside=beside)
    columns = asyncio.run(
        detect_columns(
            sample.rows,
            sample.columns,
            label=sample.label,
            prompt=prompt,
            answer=answer,
            name=sample.name,
            dataset=sample.fields.get("dataset"),
        )
    )
    if columns.answer is None and (tests := tests_in(sample.rows)):
        raise SourceError(
            f"the problems of {sample.label} have tests in column {tests!r} instead of answers, and tests need a "
            "sandbox, which is not here: name a column of answers with --answer, or other problems"
        )
    if columns.answer is None and reward is None:
        raise SourceError(
            f"no column of {sample.label} reads as an answer, alone, after #### or in a box; there are "
            f"{', '.join(sample.columns)}: name it with --answer, or name a reward model that scores solutions without "
            "answers with --reward"
        )
    prompts = columns.prompts(sample.rows)
    likeliest = language_of(prompts)
    check_language(likeliest)
    in_it = apply_rules(pl.DataFrame({"prompt": prompts}), in_language("prompt", likeliest)).kept.height
    policy = model_of(model)
    examples = WORD_PROBLEMS if policy.is_small and _are_word_problems(prompts, columns.answer) else ()
    return Proposal(
        sample=sample,
        columns=columns,
        model=policy,
        sizes=sizes_of(policy, prompts[:_MEASURED], _worked(sample, columns.trials), examples=examples),
        reward=reward,
        language=likeliest if in_it >= _SURE * len(prompts) else None,
        likeliest=likeliest,
        has_examples=bool(examples),
        prompts_in_language=in_it,
        prompts=len(prompts),
    )


def _worked(sample: Sample, trials: tuple[AnswerTrial, ...]) -> list[str]:
    """The worked solutions among the rows: those that end in a marked answer."""
    column = next((trial.column for trial in trials if trial.format != "plain"), None)
    values = [value_at(row, column) for row in sample.rows] if column else []
    texts = [turns.reply(value) if turns.is_conversation(value) else value for value in values]
    return [str(text) for text in texts if text]


def _evidence(trial: AnswerTrial) -> str:
    failed = trial.parsed - trial.verified
    unverified = f", {failed} of those do not verify" if failed else ""
    return f"{trial.parsed} of {trial.rows} rows parse{unverified}, such as {trial.answers[0]!r}"


def _unverified(answer: AnswerTrial | None) -> dict[str, Any]:
    """The share of unverified answers to allow, where it is above the default."""
    failed = 0 if answer is None else answer.parsed - answer.verified
    if answer is None or failed <= _TOLERATED * answer.parsed:
        return {"max_unverified_share": None, "why_unverified": ""}
    share = min(1.0, -(-20 * failed // answer.parsed) / 20 + _TOLERATED)
    return {
        "max_unverified_share": round(share, 2),
        "why_unverified": f"{failed} of {answer.parsed} answers do not verify, and are dropped",
    }


def _are_word_problems(prompts: Sequence[str], answer: AnswerTrial | None) -> bool:
    """Whether the problems are sentences and their answers numbers."""
    return answer is not None and _are_numbers(answer) and median(len(text.split()) for text in prompts) >= 8


def _are_numbers(answer: AnswerTrial) -> bool:
    return all(plain_number(text) is not None for text in answer.answers)


def _inline(columns: ColumnMapping) -> str:
    """The mapping as the inside of a TOML inline table."""
    fields = {**columns.mapped, "answer_format": columns.answer_format}
    return ", ".join(f"{field} = {json.dumps(column, ensure_ascii=False)}" for field, column in fields.items())


def _template() -> Template:
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["toml"] = lambda value: json.dumps(value, ensure_ascii=False)  # a JSON string is one of TOML
    text = files("dagster_project.proposal").joinpath("settings.toml.jinja").read_text("utf-8")
    return environment.from_string(text)
