import json

import pytest

from generators.problems.evaluation import evaluation_items
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
