"""The folder of an export: its files, types, README and record, and that it is written completely or not at all."""

import json
import shlex
import tomllib
from dataclasses import replace

import pytest
import yaml
from datasets import load_dataset

from releases.errors import CannotExport
from releases.exports.choice import choose
from releases.exports.export import export
from releases.exports.shapes import Shape
from releases.exports.trainers import TRAINERS
from tests.releases.exports.literal import frame, opened

CHAT = "[{role: string, content: string}]"
MESSAGE = "{role: string, content: string}"
PAIR = {"prompt": CHAT, "chosen": CHAT, "rejected": CHAT}
IDS = {"input_ids": "[int]", "attention_mask": "[int]", "labels": "[int]"}
TYPES = {
    ("trl", Shape.COMPLETION): {"prompt": CHAT, "completion": CHAT},
    ("trl", Shape.PREFERENCE): PAIR,
    ("trl", Shape.UNPAIRED): {"prompt": CHAT, "completion": CHAT, "label": "bool"},
    ("trl", Shape.TOKENS): IDS,
    ("trl", Shape.PROBLEMS): {"prompt": CHAT, "answer": "string"},
    ("verl", Shape.COMPLETION): {"messages": CHAT},
    ("verl", Shape.PROBLEMS): {
        "data_source": "string",
        "prompt": CHAT,
        "ability": "string",
        "reward_model": "{style: string, ground_truth: string}",
        "extra_info": "{index: int}",
    },
    ("openrlhf", Shape.PREFERENCE): PAIR,
    ("llamafactory", Shape.PREFERENCE): {"messages": CHAT, "chosen": MESSAGE, "rejected": MESSAGE},
    ("llamafactory", Shape.UNPAIRED): {"messages": CHAT, "kto_tag": "bool"},
    ("axolotl", Shape.PREFERENCE): {"messages": CHAT, "chosen": MESSAGE, "rejected": MESSAGE},
    ("axolotl", Shape.STEPWISE): {"prompt": "string", "completions": "[string]", "labels": "[int]"},
    ("axolotl", Shape.TOKENS): IDS,
    ("prime-rl", Shape.COMPLETION): {"messages": CHAT},
    ("open-instruct", Shape.PREFERENCE): {"chosen": CHAT, "rejected": CHAT},
    ("open-instruct", Shape.PROBLEMS): {"messages": CHAT, "ground_truth": "string", "dataset": "string"},
}


def words(feature):
    if isinstance(feature, dict):
        return f"{{{', '.join(f'{name}: {words(part)}' for name, part in feature.items())}}}"
    if hasattr(feature, "feature"):
        return f"[{words(feature.feature)}]"
    return feature.dtype.rstrip("3264") if feature.dtype.startswith("int") else feature.dtype


def run(shape, to, folder, out=None, *, force=False, **changes):
    release = opened(shape, folder, **changes)
    trainer = TRAINERS[to]
    choice = choose(release.dataset, trainer, available=["default"])
    return export(release, trainer, choice, out=out or folder / "out", force=force)


@pytest.mark.parametrize(("to", "shape"), TYPES)
def test_the_columns_have_the_types_that_the_trainer_documents(tmp_path, to, shape):
    run(shape, to, tmp_path)
    loaded = load_dataset(str(tmp_path / "out" / "data"))
    assert set(loaded) == {"train", "test"}
    assert {name: words(feature) for name, feature in loaded["train"].features.items()} == TYPES[to, shape]


def test_the_record_and_the_readme_say_what_was_exported(tmp_path):
    (tmp_path / "LICENSE.md").write_text("Licence\n")
    record = run(Shape.TOKENS, "axolotl", tmp_path)
    out = tmp_path / "out"
    assert json.loads((out / "export.json").read_text()) == {
        "trainer": "axolotl",
        "method": "SFT",
        "dataset": "process_labels",
        "version": "v0.1.0",
        "content": "c0",
        "config": "default",
        "policy": "tiny",
        "licence": "MIT",
        "rows": {"train": 2, "test": 1},
        "command": "axolotl train train.yaml",
    }
    assert record.rows == {"train": 2, "test": 1}
    assert (out / "README.md").read_text() == (
        "# process_labels v0.1.0 for axolotl\n\n"
        "Run this in the folder of this file:\n\n"
        "```bash\naxolotl train train.yaml\n```\n\n"
        "- Source: config `default` of `process_labels` v0.1.0: two rows.\n"
        "- Rows: 2 train, 1 test.\n"
        "- Model: `tiny`, the policy of the release.\n"
        "- The token ids are the policy's: no other model can be trained on them.\n"
        "- Licence of the rows: MIT. LICENSE.md is that of the release.\n"
    )
    assert (out / "LICENSE.md").read_text() == "Licence\n"


def test_what_a_form_loses_is_said(tmp_path):
    release = opened(Shape.PREFERENCE, tmp_path)
    choice = choose(release.dataset, TRAINERS["trl"], available=["default"])
    choice = choice._replace(config=replace(choice.config, lost="the weight of every token"))
    export(release, TRAINERS["trl"], choice, out=tmp_path / "out")
    assert "- Lost in this form: the weight of every token.\n" in (tmp_path / "out" / "README.md").read_text()


def test_no_row_is_cut(tmp_path):
    long = frame(Shape.MESSAGES).with_columns(messages=frame(Shape.MESSAGES)["messages"])
    longest = max(len("".join(message["content"] for message in row).encode()) for row in long["messages"])
    run(Shape.MESSAGES, "llamafactory", tmp_path)
    assert f"cutoff_len: {longest + 512}\n" in (tmp_path / "out" / "train.yaml").read_text()


@pytest.mark.parametrize("to", TRAINERS)
def test_the_name_of_the_policy_cannot_add_to_the_command(tmp_path, to):
    policy = "our model; echo 'done' #"
    shape = next(iter(TRAINERS[to].layouts))
    release = opened(shape, tmp_path)
    release = replace(release, manifest=replace(release.manifest, facts=replace(release.manifest.facts, policy=policy)))
    choice = choose(release.dataset, TRAINERS[to], available=["default"])
    words = shlex.split(export(release, TRAINERS[to], choice, out=tmp_path / "out").command.replace("\\\n", ""))
    named = [word.removeprefix("model.path=") for word in words]
    settings = [file.read_text() for file in (tmp_path / "out").glob("train.*")]
    assert policy in [*named, *(_model(text) for text in settings)]
    assert not {"echo", "done"} & set(words)


def _model(text):
    if text.startswith("output_dir"):
        return tomllib.loads(text)["model"]["name"]
    settings = yaml.safe_load(text)
    return settings.get("base_model") or settings["model_name_or_path"]


def test_an_export_is_replaced_only_when_asked_to(tmp_path):
    run(Shape.MESSAGES, "verl", tmp_path)
    with pytest.raises(CannotExport, match=r"out exists: name another folder with --out, or replace it with --force"):
        run(Shape.COMPLETION, "trl", tmp_path)
    assert json.loads((tmp_path / "out" / "export.json").read_text())["trainer"] == "verl"
    run(Shape.COMPLETION, "trl", tmp_path, force=True)
    assert json.loads((tmp_path / "out" / "export.json").read_text())["trainer"] == "trl"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_nothing_but_an_export_is_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("chapter one")
    with pytest.raises(CannotExport, match=r"out is no export, and --force replaces nothing else"):
        run(Shape.MESSAGES, "trl", tmp_path, force=True)
    assert (tmp_path / "out" / "thesis.tex").read_text() == "chapter one"


def test_nothing_is_written_among_the_files_of_a_version(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(CannotExport, match="lies in the released version"):
        run(Shape.MESSAGES, "trl", tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_failure_leaves_nothing_behind(tmp_path):
    answered = frame(Shape.COMPLETION).with_columns(prompt=frame(Shape.MESSAGES)["messages"])
    with pytest.raises(CannotExport, match="prompts hold answers of the assistant"):
        run(Shape.COMPLETION, "verl", tmp_path, splits={"train": answered})
    with pytest.raises(CannotExport, match="has no rows to train on"):
        run(Shape.COMPLETION, "verl", tmp_path, splits={"test": frame(Shape.COMPLETION)})
    assert list(tmp_path.iterdir()) == []
