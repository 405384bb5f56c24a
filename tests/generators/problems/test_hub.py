import json

import pytest

from generators.problems.hub import HubProblems
from generators.problems.source import ColumnMapping, SourceError
from generators.problems.span import Span

ROWS = [{"question": f"{n}+1?", "answer": f"so\n#### {n + 1}"} for n in range(5)]
GSM8K = ColumnMapping(prompt="question", answer="answer", answer_format="gsm8k")


@pytest.fixture
def problems(tmp_path):
    folder = tmp_path / "dataset"
    folder.mkdir()
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))

    def source(**settings):
        settings = {"split": "test", "columns": GSM8K, **settings}
        return HubProblems(name="hub", dataset=str(folder), cache_dir=str(tmp_path / "cache"), **settings)

    return source


def test_a_split_is_read_through_the_datasets_library(problems):
    found = problems(span=Span(offset=1, limit=2)).candidates()
    assert found.kept.rows() == [("row 2", "1+1?", "2", [], None, None), ("row 3", "2+1?", "3", [], None, None)]


def test_an_unknown_split_or_column_is_refused_in_one_sentence(problems):
    with pytest.raises(SourceError, match=r"split nope\) cannot be loaded \(.*\): check id, config, split"):
        problems(split="nope").candidates()
    with pytest.raises(SourceError, match=r"has no column 'prompt': set prompt to one of answer, question"):
        problems(columns=ColumnMapping()).candidates()


def test_a_split_without_answers_is_read_without_their_column(problems):
    found = problems(columns=ColumnMapping(prompt="question", answer_format="none"), span=Span(limit=1)).candidates()
    assert found.kept.rows() == [("row 1", "0+1?", "", [], None, None)]


def test_settings_out_of_bounds_are_refused_by_name():
    with pytest.raises(ValueError, match="dataset must not be empty, got ''"):
        HubProblems(name="hub", dataset="")
