import json

import polars as pl
import pytest

from generators.problems.files import FileProblems
from generators.problems.source import ColumnMapping, SourceError
from generators.problems.span import Span

GSM8K = ColumnMapping(prompt="question", answer="answer", answer_format="gsm8k")
EGGS = {"question": "16 eggs, 7 used, $2 each?", "answer": "16 - 7 = <<16-7=9>>9\n9 * 2 = <<9*2=18>>18\n#### 18"}
OPEN = ColumnMapping(prompt="question", answer_format="none")
ROBE = {"question": "2 bolts and half of that?", "answer": "2/2=<<2/2=1>>1\n2+1=<<2+1=3>>3\n#### 3"}


def jsonl(folder, *lines):
    path = folder / "problems.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return str(path)


def read(path, columns=GSM8K, **span):
    return FileProblems(name="local", path=path, columns=columns, span=Span(**span)).candidates()


def test_a_solution_in_the_style_of_gsm8k_gives_its_final_answer(tmp_path):
    assert read(jsonl(tmp_path, EGGS, ROBE, "")).kept.rows() == [
        ("line 1", EGGS["question"], "18", [], None, None),
        ("line 2", ROBE["question"], "3", [], None, None),
    ]


def test_a_boxed_solution_gives_its_final_answer_and_level(tmp_path):
    row = {"problem": "1/2 + 1/4?", "solution": r"So $\boxed{\frac{3}{4}}$.", "level": 2}
    columns = ColumnMapping(prompt="problem", answer="solution", level="level", answer_format="boxed")
    assert read(jsonl(tmp_path, row), columns).kept.rows() == [("line 1", "1/2 + 1/4?", r"\frac{3}{4}", [], "2", None)]


def test_bad_rows_are_set_aside_with_line_and_reason_and_the_good_ones_survive(tmp_path):
    lines = [
        EGGS,
        {"question": "", "answer": "#### 1"},
        {"question": "no answer?"},
        {"question": "no mark?", "answer": "it is 7"},
        {"question": ["a", "list"], "answer": "#### 1"},
        "[1, 2]",
        '{"question": "torn',
        ROBE,
    ]
    found = read(jsonl(tmp_path, *lines))
    assert found.kept["origin"].to_list() == ["line 1", "line 8"]
    assert sorted(found.dropped.select("origin", "reason").rows()) == [
        ("line 2", "missing_prompt"),
        ("line 3", "missing_answer"),
        ("line 4", "no_final_answer"),
        ("line 5", "not_text"),
        ("line 6", "not_an_object"),
        ("line 7", "broken_line"),
    ]
    assert found.dropped.filter(pl.col("origin") == "line 4")["answer"].to_list() == ["it is 7"]


def test_without_answers_every_prompt_is_kept_with_a_blank_one_whatever_the_other_columns_hold(tmp_path):
    lines = [
        EGGS,
        {"question": "What is rain?"},
        {"question": " ", "answer": "#### 1"},
        {"question": "Why?", "answer": [1]},
    ]
    found = read(jsonl(tmp_path, *lines), OPEN)
    assert found.kept.rows() == [
        ("line 1", EGGS["question"], "", [], None, None),
        ("line 2", "What is rain?", "", [], None, None),
        ("line 4", "Why?", "", [], None, None),
    ]
    assert found.dropped.select("origin", "reason").rows() == [("line 3", "missing_prompt")]


def test_a_file_without_a_column_of_answers_is_enough_for_a_source_without_them(tmp_path):
    path = jsonl(tmp_path, {"question": "What is rain?"})
    assert read(path, OPEN).kept["answer"].to_list() == [""]
    with pytest.raises(SourceError, match="has no column 'answer': set answer to one of question"):
        read(path)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_tables_are_read_by_their_suffix(tmp_path, suffix):
    path = tmp_path / f"problems.{suffix}"
    frame = pl.DataFrame({"prompt": ["2+2?", "3+3?"], "answer": [4, 6]})
    frame.write_parquet(path) if suffix == "parquet" else frame.write_csv(path)
    assert read(str(path), ColumnMapping()).kept.rows() == [
        ("row 1", "2+2?", "4", [], None, None),
        ("row 2", "3+3?", "6", [], None, None),
    ]


@pytest.mark.parametrize(
    ("name", "separator", "encoding"),
    [("t.tsv", "\t", "utf-8"), ("t.csv", ";", "utf-8"), ("t.csv", ",", "utf-16"), ("t.csv", ",", "utf-8-sig")],
)
def test_a_table_is_read_however_a_spreadsheet_writes_it(tmp_path, name, separator, encoding):
    path = tmp_path / name
    path.write_bytes(f"question{separator}answer\nWhat is 1 plus 2?{separator}#### 3\n".encode(encoding))
    assert read(str(path)).kept["answer"].to_list() == ["3"]


def test_a_span_counts_rows_as_they_stand_in_the_file(tmp_path):
    path = jsonl(tmp_path, EGGS, "{broken", ROBE, EGGS)
    found = read(path, offset=1, limit=2)
    assert (found.kept["origin"].to_list(), found.counts()) == (["line 3"], {"broken_line": 1})


@pytest.mark.parametrize(
    ("lines", "columns", "span", "message"),
    [
        ([""], GSM8K, {}, r"problem file .*problems.jsonl is empty: give a file"),
        (["{broken"], GSM8K, {}, r"has no readable row \(line 1: broken_line\): mend the file"),
        ([EGGS], ColumnMapping(prompt="query"), {}, r"has no column 'query': set prompt to one of answer, question"),
        ([EGGS], GSM8K, {"offset": 5}, r"has 1 rows, none at offset 5: lower the offset"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(tmp_path, lines, columns, span, message):
    with pytest.raises(SourceError, match=message):
        read(jsonl(tmp_path, *lines), columns, **span)


def test_a_missing_file_and_a_broken_table_are_refused(tmp_path):
    with pytest.raises(SourceError, match=r"gone.jsonl does not exist: correct the path of source 'local'"):
        read(str(tmp_path / "gone.jsonl"))
    (tmp_path / "broken.parquet").write_bytes(b"no parquet")
    with pytest.raises(SourceError, match=r"broken.parquet cannot be read as parquet \(.*\): mend the file"):
        read(str(tmp_path / "broken.parquet"))


def test_settings_out_of_bounds_are_refused_by_name():
    with pytest.raises(ValueError, match=r"path must end in one of .jsonl, .* or be a folder, got 'a.txt'"):
        FileProblems(name="a", path="a.txt")
    with pytest.raises(ValueError, match=r"answer_format must be one of plain, .*, none, got 'latex'"):
        ColumnMapping(answer_format="latex")
    with pytest.raises(ValueError, match="limit must be at least 1 or None, got 0"):
        Span(limit=0)
