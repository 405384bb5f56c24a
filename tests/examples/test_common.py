"""What the examples share: the command line, a run's bounds, and how a release is named."""

from pathlib import Path

import pytest
from datasets import Dataset

from examples import cdpo, dpo, prm, sft, step_dpo
from examples.common import Run, arguments, fit, load_release, run_of, start
from tests.examples.small_releases import step_pairs


def test_a_command_line_is_a_run_with_the_scripts_own_defaults():
    parser = arguments("About.", learning_rate=3e-4)
    run = run_of(parser.parse_args(["--release", "r", "--steps", "5", "--model", "folder"]), "script")
    assert run == Run(model="folder", steps=5, learning_rate=3e-4, output=Path("trained/script"))


def test_no_training_writes_over_an_earlier_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parser = arguments("About.")
    outputs = []
    for _ in range(3):
        outputs.append(run_of(parser.parse_args(["--release", "r"]), "script").output)
        outputs[-1].mkdir(parents=True)
        (outputs[-1] / "adapter").touch()
    assert [str(output) for output in outputs] == ["trained/script", "trained/script-2", "trained/script-3"]
    with pytest.raises(ValueError, match="output must be a new folder, and trained/script holds an earlier training"):
        run_of(parser.parse_args(["--release", "r", "--output", "trained/script"]), "script")


def test_what_the_user_can_mend_is_one_sentence_and_exit_code_2(capsys):
    with pytest.raises(SystemExit, match="2"):
        start(lambda: sft.main(["--release", "lab/traces"]))
    assert "revision must name a version of lab/traces" in capsys.readouterr().err


@pytest.mark.parametrize("script", [sft, dpo, step_dpo, cdpo, prm])
def test_every_script_tells_its_arguments(script, capsys):
    with pytest.raises(SystemExit, match="0"):
        script.main(["--help"])
    assert "--release" in capsys.readouterr().out


BOUNDS = [
    ({"steps": 0}, "steps must be at least 1, got 0"),
    ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
    ({"batch_size": 3, "micro_batch_size": 2}, "batch_size must be a multiple of micro_batch_size 2, got 3"),
    ({"learning_rate": 0.0}, "learning_rate must be above 0, got 0.0"),
    ({"model": "simulated"}, "model must have weights to train, got 'simulated'"),
]


@pytest.mark.parametrize(("change", "complaint"), BOUNDS)
def test_a_run_out_of_bounds_is_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        Run(**change)


def test_a_version_loads_by_its_folder_and_by_the_datasets_folder_with_a_revision(tokenizer, tmp_path):
    folder = step_pairs(tmp_path / "releases", tokenizer, range(3), test=0.0)
    dataset, _, version = folder.rpartition("/")
    first, second = load_release(folder, "steps"), load_release(dataset, "steps", revision=version)
    assert first["train"].to_list() == second["train"].to_list()


def test_a_release_without_its_version_is_refused(tokenizer, tmp_path):
    folder = step_pairs(tmp_path / "releases", tokenizer, range(3), test=0.0)
    with pytest.raises(ValueError, match=r"has no manifest\.json: name one in revision"):
        load_release(folder.rpartition("/")[0], "steps")
    with pytest.raises(ValueError, match=r"revision must name a version of lab/step_preference_pairs.*got None"):
        load_release("lab/step_preference_pairs", "steps")


def test_rows_that_do_not_fit_are_told_and_none_left_is_an_error(run, capsys):
    rows = Dataset.from_list([{"prompt": "<|user|>" + "7" * n, "chosen": "a", "rejected": "b"} for n in (4, 40)])
    settings = run(max_length=10, steps=1)
    fit(dpo.trainer_of(settings, rows), settings, rows=rows, held_out=None)
    assert "1 of 2 rows have nothing to learn within max_length=10: left out" in capsys.readouterr().out
    short = run(max_length=2, steps=1)
    with pytest.raises(ValueError, match="max_length must leave something to learn in a row, got 2 and 2 rows"):
        fit(dpo.trainer_of(short, rows), short, rows=rows, held_out=None)
