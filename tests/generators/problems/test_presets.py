import json

import pytest
from pydantic import ValidationError

from generators.problems.presets import PRESETS
from generators.problems.settings import EvaluationSetSettings, Source

ROW = {"question": "What is one plus one?", "answer": "1 + 1 = 2\n#### 2"}


def test_a_preset_takes_a_set_from_the_hub_with_its_columns_and_licence():
    source = Source.model_validate({"preset": "gsm8k", "name": "school"})
    assert (source.kind, source.hub_dataset, source.licence) == ("hub", "openai/gsm8k", "mit")
    assert (source.problems.config, source.problems.split) == ("main", "train")
    assert source.problems.columns.mapped == {"prompt": "question", "answer": "answer"}


def test_a_path_makes_a_preset_a_file_and_is_read_by_its_columns(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(ROW))
    source = Source.model_validate({"preset": "gsm8k", "name": "school", "path": str(path)})
    assert (source.kind, source.problems.candidates().kept["answer"].to_list()) == ("file", ["2"])


def test_what_stands_beside_a_preset_overrides_it_column_by_column():
    table = {"preset": "olympiadbench", "name": "o", "lists": "ordered", "columns": {"level": "answer_type"}}
    source = Source.model_validate({**table, "licence": "apache-2.0", "config": "OE_TO_physics_en_COMP"})
    assert (source.lists, source.licence, source.problems.config) == ("ordered", "apache-2.0", "OE_TO_physics_en_COMP")
    assert source.problems.columns.mapped["level"] == "answer_type"
    assert source.problems.columns.answer == "final_answer"


def test_another_dataset_of_the_same_shape_keeps_neither_config_nor_split():
    source = Source.model_validate({"preset": "gsm8k", "name": "copy", "dataset": "my-org/copy"})
    assert (source.hub_dataset, source.problems.config) == ("my-org/copy", None)


def test_an_evaluation_set_takes_the_place_and_the_columns_of_a_preset_alone():
    evaluation = EvaluationSetSettings.model_validate({"preset": "math500", "name": "held_out"})
    assert (evaluation.problems.dataset, evaluation.problems.split) == ("HuggingFaceH4/MATH-500", "test")


def test_an_unknown_preset_is_refused_with_the_near_one():
    with pytest.raises(
        ValidationError, match="preset must be the name of a known set, got 'gsm': did you mean 'gsm8k'"
    ):
        Source.model_validate({"preset": "gsm", "name": "school"})


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_a_source(name):
    source = Source.model_validate({"preset": name, "name": "own", "path": "own.jsonl"})
    assert source.has_answers


def test_a_preset_without_a_place_on_the_hub_asks_for_a_path():
    with pytest.raises(ValidationError, match="path"):
        Source.model_validate({"preset": "orz", "name": "own"})
