r"""Well-known sets of problems by name: where they are, which columns they have, how their answers are written.

A setting that stands beside `preset` overrides the preset's. A licence stands here only where it is known for certain.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

_ARC = {"prompt": "question", "answer": "answerKey", "choices": "choices"}
_AIME = {"prompt": "problem", "answer": "answer"}
_VERL = {"prompt": "prompt", "answer": "reward_model.ground_truth"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A set of problems: its columns, the settings of its answers, its licence, and its id on the Hub."""

    columns: Mapping[str, str | tuple[str, ...]]
    hub: Mapping[str, str] = field(default_factory=dict)  # dataset, config, split
    rule: Mapping[str, str] = field(default_factory=dict)  # settings of the source
    licence: str | None = None

    def kind(self, table: Mapping[str, Any]) -> str:
        """The kind of source that a table with this preset means: a file where it has a path, else the Hub."""
        return str(table.get("kind") or ("file" if "path" in table or not self.hub else "hub"))

    def under(self, table: Mapping[str, Any], fields: Container[str]) -> dict[str, Any]:
        """A table of settings with the preset's below its own; of the preset's rule and licence, those in `fields`."""
        kind = self.kind(table)
        place = self.hub if kind == "hub" and "dataset" not in table else {}
        licence = {} if self.licence is None else {"licence": self.licence}
        of_answers = {name: value for name, value in {**self.rule, **licence}.items() if name in fields}
        own = table.get("columns", {})
        columns = {**self.columns, **own} if isinstance(own, Mapping) else own
        return {**place, **of_answers, **table, "kind": kind, "columns": columns}


def preset_of(name: str) -> Preset:
    """The preset of a name; raises ValueError."""
    if name not in PRESETS:
        near = get_close_matches(name, PRESETS, n=1, cutoff=0.5)
        meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(PRESETS)}"
        raise ValueError(f"preset must be the name of a known set, got {name!r}: {meant}")
    return PRESETS[name]


PRESETS: Mapping[str, Preset] = {
    "gsm8k": Preset(
        columns={"prompt": "question", "answer": "answer", "answer_format": "gsm8k"},
        hub={"dataset": "openai/gsm8k", "config": "main"},
        licence="mit",
    ),
    "math": Preset(
        columns={"prompt": "problem", "answer": "solution", "level": "level", "answer_format": "boxed"},
        rule={"lists": "unordered"},
        licence="mit",
    ),
    "math500": Preset(
        columns={"prompt": "problem", "answer": "answer", "level": "level"},
        hub={"dataset": "HuggingFaceH4/MATH-500", "split": "test"},
        rule={"lists": "unordered"},
        licence="mit",
    ),
    "numina_cot": Preset(
        columns={"prompt": "messages", "answer": "messages", "answer_format": "boxed"},
        hub={"dataset": "AI-MO/NuminaMath-CoT"},
        licence="apache-2.0",
    ),
    "numina_1_5": Preset(
        columns={"prompt": "problem", "answer": "answer"},
        hub={"dataset": "AI-MO/NuminaMath-1.5"},
        licence="apache-2.0",
    ),
    "openmathreasoning": Preset(
        columns={"prompt": "problem", "answer": "expected_answer"},
        hub={"dataset": "nvidia/OpenMathReasoning", "split": "cot"},
        licence="cc-by-4.0",
    ),
    "deepscaler": Preset(
        columns={"prompt": "problem", "answer": "answer"},
        hub={"dataset": "agentica-org/DeepScaleR-Preview-Dataset"},
        licence="mit",
    ),
    "dapo_17k": Preset(
        columns={**_VERL, "level": "ability"},
        hub={"dataset": "BytedTsinghua-SIA/DAPO-Math-17k"},
        licence="apache-2.0",
    ),
    "skywork_or1": Preset(
        columns=_VERL,
        hub={"dataset": "Skywork/Skywork-OR1-RL-Data", "split": "math"},
        licence="apache-2.0",
    ),
    "orz": Preset(columns={"prompt": "messages", "answer": "messages.ground_truth.value"}),
    "olympiadbench": Preset(
        columns={
            "prompt": ("context", "question"),
            "answer": "final_answer",
            "all_needed": "is_multiple_answer",
            "unit": "unit",
            "tolerance": "error",
            "level": "subfield",
        },
        hub={"dataset": "Hothan/OlympiadBench", "config": "OE_TO_maths_en_COMP"},
        rule={"lists": "unordered"},
    ),
    "big_math": Preset(
        columns={"prompt": "problem", "answer": "answer"},
        hub={"dataset": "SynthLabsAI/Big-Math-RL-Verified"},
    ),
    "aime": Preset(columns=_AIME, hub={"dataset": "HuggingFaceH4/aime_2024"}),
    "arc": Preset(
        columns=_ARC,
        hub={"dataset": "allenai/ai2_arc", "config": "ARC-Challenge"},
        licence="cc-by-sa-4.0",
    ),
    "aqua": Preset(
        columns={"prompt": "question", "answer": "correct", "choices": "options"},
        hub={"dataset": "deepmind/aqua_rat", "config": "raw"},
        licence="apache-2.0",
    ),
    "commonsense_qa": Preset(columns=_ARC, hub={"dataset": "tau/commonsense_qa"}, licence="mit"),
    "mmlu": Preset(
        columns={"prompt": "question", "answer": "answer", "choices": "choices", "level": "subject"},
        hub={"dataset": "cais/mmlu", "config": "all", "split": "test"},
        licence="mit",
    ),
    "svamp": Preset(
        columns={"prompt": ("Body", "Question"), "answer": "Answer"},
        hub={"dataset": "ChilleD/SVAMP"},
        licence="mit",
    ),
    "asdiv": Preset(columns={"prompt": ("body", "question"), "answer": "answer"}, hub={"dataset": "EleutherAI/asdiv"}),
}
