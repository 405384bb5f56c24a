"""Fine-tuning on traces; prompts and masked mistakes do not contribute to the loss.

Rows have `input_ids` and `labels` in the policy's own tokens (the config `sft` of `self_correction_traces`), or
`messages`, where only the last message is learnt (the config `default` of `long_cot_traces`; works with any model).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from examples.common import Run, arguments, fit, load_policy, load_release, lora, run_of, start, trainer_settings


def trainer_of(run: Run, traces: Dataset) -> SFTTrainer:
    """An SFT trainer on traces."""
    model, tokenizer = load_policy(run)
    if {"input_ids", "messages"} <= set(traces.column_names):
        check_texts(traces, tokenizer)
    return SFTTrainer(
        model=model,
        args=SFTConfig(max_length=run.max_length, **trainer_settings(run)),
        train_dataset=learnable(traces),
        processing_class=tokenizer,
        peft_config=lora(run),
    )


def learnable(traces: Dataset) -> Dataset:
    """The columns from which SFTTrainer masks the loss; raises ValueError if there are none."""
    if {"input_ids", "labels"} <= set(traces.column_names):
        return traces.select_columns(["input_ids", "labels"])
    if "messages" in traces.column_names:
        return traces.map(answered, remove_columns=traces.column_names)
    raise ValueError(
        f"the rows must have input_ids and labels, or messages, got {', '.join(traces.column_names)}: name another "
        "config of the release"
    )


def check_texts(traces: Iterable[Mapping[str, Any]], tokenizer: Any) -> None:
    """Raise ValueError unless the ids of every row decode to a chat that ends with its last message."""
    for number, row in enumerate(traces):
        text, last = tokenizer.decode(row["input_ids"], skip_special_tokens=True), row["messages"][-1]["content"]
        if not text.endswith(last):
            raise ValueError(
                f"row {number}: input_ids end with {text[-60:]!r}, and its last message with {last[-60:]!r}: model "
                "must be the policy that wrote the release, or one with its tokenizer, or train on messages alone"
            )


def answered(row: Mapping[str, Any]) -> dict[str, Any]:
    """Split a chat into the prompt and the completion, its last message, which alone is learnt."""
    return {"prompt": row["messages"][:-1], "completion": row["messages"][-1:]}


def main(command_line: Sequence[str] | None = None) -> None:
    """Train with the command-line options."""
    parser = arguments("Fine-tuning on a release of traces.", learning_rate=2e-4)
    parser.add_argument("--config", default="sft", help="the config with the traces")
    options = parser.parse_args(command_line)
    run = run_of(options, "sft")
    traces = load_release(options.release, options.config, revision=options.revision)
    held_out = learnable(traces["test"]) if "test" in traces else None
    fit(trainer_of(run, traces["train"]), run, rows=traces["train"], held_out=held_out)


if __name__ == "__main__":
    start(main)
