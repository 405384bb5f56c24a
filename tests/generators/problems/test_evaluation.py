import json

import polars as pl
import pytest

from generators.problems.evaluation import EvaluationSet, evaluation_items, screen
from generators.problems.files import FileProblems
from generators.problems.source import ColumnMapping, SourceError


def file_of(folder, name, rows):
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return FileProblems(name=name, path=str(path), columns=ColumnMapping(prompt="q", answer="a"))


def test_an_item_is_its_sets_name_its_place_and_its_prompt(tmp_path):
    items = evaluation_items(
        [file_of(tmp_path, "one", [{"q": "1+1?", "a": "2"}]), file_of(tmp_path, "two", [{"q": "x?", "a": "y"}])]
    )
    assert items.rows() == [("one", "line 1", "1+1?"), ("two", "line 1", "x?")]


def test_an_item_without_an_answer_still_counts(tmp_path):
    items = evaluation_items([file_of(tmp_path, "one", [{"q": "1+1?", "a": "2"}, {"q": "2+2?", "a": ""}])])
    assert sorted(items["text"]) == ["1+1?", "2+2?"]


def test_a_set_without_a_prompt_is_refused(tmp_path):
    with pytest.raises(SourceError, match="evaluation set one has no prompt"):
        evaluation_items([file_of(tmp_path, "one", [{"q": " ", "a": "2"}])])


def test_no_set_has_no_items():
    assert evaluation_items([]).is_empty()


def test_problems_that_repeat_an_item_are_dropped_as_each_set_asks(tmp_path):
    long = "A train travels 270 miles in 3 hours. How many hours would it take to travel an additional 180 miles?"
    renumbered = long.replace("270", "360").replace("180", "240")
    problems = pl.DataFrame({"problem_id": ["a", "b", "c"], "prompt": [renumbered, "1 + 1 + 2?", "Anything else?"]})
    written = file_of(tmp_path, "written", [{"q": long, "a": "2"}])
    procedural = file_of(tmp_path, "procedural", [{"q": "1 + 1 + 2?", "a": "4"}, {"q": long, "a": "2"}])
    near = screen(problems, [EvaluationSet(written), EvaluationSet(procedural, "verbatim")])
    assert near.filtered.kept["prompt"].to_list() == ["Anything else?"]
    assert near.matches.select("evaluation_set", "path").rows() == [("written", "renumbered"), ("procedural", "whole")]
    verbatim = screen(problems, [EvaluationSet(written, "verbatim")])
    assert verbatim.filtered.kept.height == 3
