"""Fine-tuning on traces; prompts and masked mistakes do not contribute to the loss.

Rows have `prompt` and `completion` (the config `default` of `self_correction_traces` and of `long_cot_traces`),
`input_ids` and `labels` in the policy's own tokens (`tokens`), or `messages`, where only the last message is learnt.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from datasets import Dataset
from trl import SFTConfig, SFTTrainer

from examples.common import Run, arguments, fit, load_policy, load_release, lora, run_of, start, trainer_settings


def trainer_of(run: Run, traces: Dataset) -> SFTTrainer:
    """An SFT trainer on traces."""
    model, tokenizer = load_policy(run)
    return SFTTrainer(
        model=model,
        args=SFTConfig(max_length=run.max_length, **trainer_settings(run)),
        train_dataset=learnable(traces),
        processing_class=tokenizer,
        peft_config=lora(run),
    )


def learnable(traces: Dataset) -> Dataset:
    """The columns from which SFTTrainer masks the loss; raises ValueError if there are none."""
    for columns in (["input_ids", "labels"], ["prompt", "completion"]):
        if set(columns) <= set(traces.column_names):
            return traces.select_columns(columns)
    if "messages" in traces.column_names:
        return traces.map(answered, remove_columns=traces.column_names)
    raise ValueError(
        f"the rows must have prompt and completion, input_ids and labels, or messages, got "
        f"{', '.join(traces.column_names)}: name another config of the release"
    )


def is_of_the_policy(traces: Dataset) -> bool:
    """Whether the rows are in the policy's own tokens or its template, which other models read wrongly."""
    return "input_ids" in traces.column_names or isinstance(traces[0].get("prompt"), str)


def check_texts(stored: Iterable[Mapping[str, Any]], tokenizer: Any) -> None:
    """Raise ValueError unless the ids of every row of the config `full` decode to its text."""
    for number, row in enumerate(stored):
        text = tokenizer.decode(row["token_ids"], skip_special_tokens=True)
        if text != row["text"]:
            raise ValueError(
                f"row {number}: token_ids read {text[-60:]!r} at their end, and text {row['text'][-60:]!r}: model must "
                "be the policy that wrote the release, or one with its tokenizer, or train on the config messages"
            )


def answered(row: Mapping[str, Any]) -> dict[str, Any]:
    """Split a chat into the prompt and the completion, its last message, which alone is learnt."""
    return {"prompt": row["messages"][:-1], "completion": row["messages"][-1:]}


def main(command_line: Sequence[str] | None = None) -> None:
    """Train with the command-line options."""
    parser = arguments("Fine-tuning on a release of traces.", learning_rate=2e-4)
    parser.add_argument("--config", default="default", help="the config with the traces")
    options = parser.parse_args(command_line)
    run = run_of(options, "sft")
    traces = load_release(options.release, options.config, revision=options.revision)
    held_out = learnable(traces["test"]) if "test" in traces else None
    trainer = trainer_of(run, traces["train"])
    if is_of_the_policy(traces["train"]):
        stored = load_release(options.release, "full", revision=options.revision)
        check_texts(stored["train"], trainer.processing_class)
    fit(trainer, run, rows=traces["train"], held_out=held_out)


if __name__ == "__main__":
    start(main)
