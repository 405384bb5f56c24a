"""What each trainer makes of an export, restated from its own data module: the texts of a row, and which are learnt.

A loader reads the folder as the export's command and settings tell the trainer to. It returns, for each row, the
sequences that the trainer sees, each a list of (text or token id, is learnt). It fails where the trainer would fail.
"""

import json
import shlex
import tomllib
from pathlib import Path

import pandas as pd
import yaml
from datasets import load_dataset, load_from_disk

from tests.releases.exports.chatml import END, render, turns

IGNORED = -100


def command_of(folder):
    return shlex.split(json.loads((folder / "export.json").read_text())["command"].replace("\\\n", ""))


def flags_of(folder):
    """The `--name value` options of a command, each with all its values."""
    flags, name = {}, None
    for word in command_of(folder):
        if word.startswith("--"):
            name = word
            flags[name] = []
        elif name:
            flags[name].append(word)
    return flags


def assignments_of(folder):
    """The `name=value` options of a command."""
    return dict(word.split("=", 1) for word in command_of(folder) if "=" in word and not word.startswith("-"))


def settings_of(folder):
    return yaml.safe_load((folder / "train.yaml").read_text())


def parquet_rows(path):
    return load_dataset("parquet", data_files=str(path), split="train").to_list()


def tokens(row):
    assert len(row["input_ids"]) == len(row["labels"]) == len(row["attention_mask"])
    return [(token, label != IGNORED) for token, label in zip(row["input_ids"], row["labels"], strict=True)]


def answer_to(prompt, answer):
    """The prompt, and what the template makes of the answer after it."""
    before = render(prompt, generation=True)
    return [(before, False), (render(prompt + answer)[len(before) :], True)]


def trl(folder):
    settings = settings_of(folder)
    rows = load_dataset(str(folder / settings["dataset_name"]), split="train").to_list()
    method = command_of(folder)[1]
    if method == "grpo":
        assert [name.rpartition(".")[0] for name in settings["reward_funcs"]] == ["reward"]
        assert all(isinstance(row["answer"], str) for row in rows)
        return [[[(render(row["prompt"], generation=True), False)]] for row in rows]
    assert settings["max_length"] is None  # TRL cuts at 1,024 tokens unless told otherwise
    if method == "sft":
        return [[_trl_sequence(row, settings)] for row in rows]
    sides = ("completion",) if method == "kto" else ("chosen", "rejected")
    if method == "kto":
        assert all(isinstance(row["label"], bool) for row in rows)
    return [[answer_to(row["prompt"], row[side]) for side in sides] for row in rows]


def _trl_sequence(row, settings):
    if "input_ids" in row:
        return tokens(row)
    if "prompt" in row:
        if isinstance(row["prompt"], str):
            return [(row["prompt"], False), (row["completion"] + END, True)]
        return answer_to(row["prompt"], row["completion"])
    assert set(row) == {"messages"}  # TRL takes any row with a prompt for one with a completion
    learnt = list(turns(row["messages"]))
    return learnt if settings.get("assistant_only_loss") else [(text, True) for text, _ in learnt]


def verl(folder):
    options = assignments_of(folder)
    frame = pd.read_parquet(folder / options["data.train_files"])
    assert int(options["data.train_batch_size"]) <= len(frame)  # an incomplete batch is dropped
    assert (folder / options.get("data.val_files", "data")).exists()
    if "data.messages_key" in options:
        chats = [[dict(message) for message in chat] for chat in frame[options["data.messages_key"]]]
        return [[list(turns(chat))] for chat in chats]
    rows = parquet_rows(folder / options["data.train_files"])
    for row in rows:
        assert isinstance(row["data_source"], str) and isinstance(row["ability"], str)
        assert isinstance(row["reward_model"]["ground_truth"], str)
        assert isinstance(row["extra_info"]["index"], int | str)
    assert (folder / options["custom_reward_function.path"]).exists()  # a source that verl does not know stops it
    return [[[(render(row["prompt"], generation=True), False)]] for row in rows]


def openrlhf(folder):
    flags = flags_of(folder)
    program = next(word for word in command_of(folder) if word.startswith("openrlhf.cli."))
    templated = "--data.apply_chat_template" in flags
    (path,) = flags.get("--data.dataset") or flags["--data.prompt_dataset"]
    rows = parquet_rows(folder / path)
    assert "margin" not in rows[0]  # it would be the margin of the loss
    if program.endswith("ppo_ray"):
        assert (folder / flags["--reward.remote_url"][0]).exists()
        assert int(flags["--rollout.n_samples_per_prompt"][0]) > 1
        (key,), (label,) = flags["--data.input_key"], flags["--data.label_key"]
        assert all(isinstance(row[label], str) for row in rows)
        return [[[(render(row[key], generation=True), False)]] for row in rows]
    if program.endswith("dpo"):
        assert templated
        (key,) = flags["--data.prompt_key"]
        return [[answer_to(row[key], row[side]) for side in ("chosen", "rejected")] for row in rows]
    (key,) = flags["--data.input_key"]
    if "--data.multiturn" in flags:
        assert templated and "--data.output_key" not in flags
        return [[list(turns(row[key]))] for row in rows]
    (output,) = flags["--data.output_key"]
    if templated:
        return [[answer_to(row[key], row[output])] for row in rows]
    (wrapping,) = flags.get("--data.input_template", ["User: {}\nAssistant: "])
    prompts = [wrapping.format(row[key]) if wrapping else row[key] for row in rows]
    return [[[(prompt, False), (f"{row[output]} {END}", True)]] for prompt, row in zip(prompts, rows, strict=True)]


def llamafactory(folder):
    settings = settings_of(folder)
    assert settings["dataset"]  # without it, training is refused
    assert settings["enable_thinking"] is None  # true teaches empty thoughts, false removes those that there are
    if "tokenized_path" in settings:
        saved = load_from_disk(folder / settings["tokenized_path"])
        assert set(saved) <= {"train", "validation"}
        return [[tokens(row)] for row in saved["train"].to_list()]
    described = json.loads((folder / settings["dataset_dir"] / "dataset_info.json").read_text())
    attributes = described[settings["dataset"]]
    path = folder / attributes["file_name"]
    files = list(path.iterdir()) if path.is_dir() else [path]
    rows = [row for file in files for row in parquet_rows(file)]
    assert attributes["formatting"] == "sharegpt"  # `openai` puts a system message into every chat
    assert attributes.get("ranking", False) == (settings["stage"] == "dpo")
    return [_converted(row, attributes["columns"], attributes["tags"], settings["stage"]) for row in rows]


def _converted(row, columns, tags, stage):
    messages = [(m[tags["role_tag"]], m[tags["content_tag"]]) for m in row[columns["messages"]]]
    system = [messages.pop(0)] if messages[0][0] == tags["system_tag"] else []
    for number, (role, _) in enumerate(messages):
        assert role == (tags["assistant_tag"] if number % 2 else tags["user_tag"]), "the row would be dropped"
    assert len(messages) % 2 == (stage == "dpo"), "the row would be dropped"
    chat = [{"role": role, "content": text} for role, text in system + messages]
    if stage == "dpo":
        assert isinstance(row[columns["chosen"]], dict), "the pair would be taken for one answer"
        return [answer_to(chat, [row[columns[side]]]) for side in ("chosen", "rejected")]
    if stage == "kto":
        assert isinstance(row[columns["kto_tag"]], bool), "the row would be taken for one of SFT"
        return [answer_to(chat[:-1], chat[-1:])]
    return [list(turns(chat))]


def axolotl(folder):
    settings = settings_of(folder)
    (dataset,) = settings["datasets"]
    assert dataset["ds_type"] == "parquet" and dataset["split"] == "train"  # one file is one split, called train
    rows = parquet_rows(folder / dataset["path"])
    assert all(test["path"] != dataset["path"] for test in settings.get("test_datasets", []))
    kind, method = dataset["type"], settings.get("rl", "sft")
    if method == "grpo":
        assert (folder / f"{settings['trl']['reward_funcs'][0].split('.')[0]}.py").exists()
        return [[[(render(row["prompt"], generation=True), False)]] for row in rows]
    if method == "dpo":
        assert kind == "chat_template.default"
        fields = [dataset[f"field_{name}"] for name in ("messages", "chosen", "rejected")]
        return [[_found(row[fields[0]], row[side]) for side in fields[1:]] for row in rows]
    if kind is None:
        assert set(rows[0]) == {"input_ids", "attention_mask", "labels"}  # these and no others
        return [[tokens(row)] for row in rows]
    if kind == "stepwise_supervised":
        assert settings["process_reward_model"] and settings["num_labels"] == 2
        return [[_labelled_steps(row, dataset["step_separator"])] for row in rows]
    if kind == "chat_template":
        assert dataset["roles_to_train"] == ["assistant"]
        return [[list(turns(row["messages"]))] for row in rows]
    assert settings["train_on_inputs"] is False
    prompts = [kind["no_input_format"].format(instruction=row[kind["field_instruction"]]) for row in rows]
    answers = [row[kind["field_output"]] + END for row in rows]
    return [[[(prompt, False), (answer, True)]] for prompt, answer in zip(prompts, answers, strict=True)]


def _found(prompt, answer):
    """The answer is looked for in a chat of its own; one that the template strips is not found, and cut to its end."""
    rendered = render([{"role": "user", "content": "[[dummy_message]]"}, answer])
    return [(render(prompt, generation=True), False), (rendered[rendered.find(answer["content"]) :].rstrip(), True)]


def _labelled_steps(row, separator):
    """The label of a step stands on its last token, which is one of the separator."""
    assert len(row["completions"]) == len(row["labels"])
    steps = [[(step, False), (separator, bool(int(label) in (0, 1)))] for step, label in _steps(row)]
    return [(row["prompt"], False), *(part for step in steps for part in step)]


def _steps(row):
    return zip(row["completions"], row["labels"], strict=True)


def prime_rl(folder):
    settings = tomllib.loads((folder / "train.toml").read_text())
    (split,) = settings["data"]["splits"]
    rows = load_dataset(str(folder / settings["data"]["name"]), split=split).to_list()
    chats = [row.get("messages") or row["prompt"] + row["completion"] for row in rows]
    return [[list(turns(chat))] for chat in chats]


def open_instruct(folder):
    flags = flags_of(folder)
    path, share = flags.get("--dataset_mixer_list") or flags["--mixer_list"]
    assert share == "1.0"  # "1" would be one row
    rows = parquet_rows(folder / path)
    if "--apply_verifiable_reward" in flags:
        assert all(row["dataset"] == "math" and isinstance(row["ground_truth"], str) for row in rows)
        return [[[(render(row["messages"], generation=True), False)]] for row in rows]
    if "messages" in rows[0]:
        return [[list(turns(row["messages"]))] for row in rows]
    return [[answer_to(row[side][:-1], row[side][-1:]) for side in ("chosen", "rejected")] for row in rows]


LOADERS = {
    "trl": trl,
    "verl": verl,
    "openrlhf": openrlhf,
    "llamafactory": llamafactory,
    "axolotl": axolotl,
    "prime-rl": prime_rl,
    "open-instruct": open_instruct,
}


def learnt(sequence):
    """What a sequence teaches, without the end of text and the white space around it."""
    return "".join(text for text, is_learnt in sequence if is_learnt).strip().removesuffix(END).strip()


def given(sequence):
    """What a sequence only gives."""
    return "".join(text for text, is_learnt in sequence if not is_learnt)


def load(folder):
    folder = Path(folder)
    return LOADERS[json.loads((folder / "export.json").read_text())["trainer"]](folder)
