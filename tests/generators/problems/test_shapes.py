"""Every shape of problem file that people publish, as a small file of that shape."""

import gzip
import json

import polars as pl
import pytest

from generators.problems.files import FileProblems
from generators.problems.source import ColumnMapping, SourceError

ASK = "What is one plus one?"


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def read(path, **columns):
    return FileProblems(name="local", path=str(path), columns=ColumnMapping(**columns)).candidates()


def golds(found):
    return [(answer, *also) for answer, also in found.kept.select("answer", "also_accepted").iter_rows()]


def from_rows(folder, *rows, **columns):
    return read(write(folder / "problems.jsonl", rows), **columns)


def of_answer(folder, answer, **columns):
    return from_rows(folder, {"prompt": ASK, "answer": answer}, **columns)


def verl(question, gold, *, index=0):
    return {
        "prompt": [{"role": "system", "content": "You are careful."}, {"role": "user", "content": question}],
        "reward_model": {"ground_truth": gold, "style": "rule"},
        "extra_info": {"index": index},
    }


VERL = {"prompt": "prompt", "answer": "reward_model.ground_truth", "level": "extra_info.index"}


def test_verls_layout_is_read_by_dotted_paths_and_the_system_turn_stays_apart(tmp_path):
    found = from_rows(tmp_path, verl(ASK, "2", index=7), **VERL)
    assert found.kept.row(0, named=True) == {
        "origin": "line 1",
        "prompt": ASK,
        "answer": "2",
        "also_accepted": [],
        "level": "7",
        "system": "You are careful.",
    }


def test_verls_layout_is_read_from_parquet(tmp_path):
    path = tmp_path / "train.parquet"
    pl.DataFrame([verl(ASK, "2"), verl("And two plus two?", "4")]).write_parquet(path)
    assert golds(read(path, **VERL)) == [("2",), ("4",)]


@pytest.mark.parametrize(
    ("written", "accepted"),
    [
        ('["2"]', ("2",)),
        ('["\\\\frac{1}{2}", "0.5"]', (r"\frac{1}{2}", "0.5")),
        ("['2', '3']", ("2", "3")),
        ("[2, 3]", ("[2, 3]",)),
        ("['2', broken", ("['2', broken",)),
        (["2", "two"], ("2", "two")),
        ([2, None, ""], ("2",)),
        (["2", "2"], ("2",)),
        (18, ("18",)),
        (18.0, ("18",)),
        (0.25, ("0.25",)),
        (True, ("True",)),
        (False, ("False",)),
        ("9 (apples)", ("9",)),
        (r"$\frac{3}{10} \# \# 0.3$", (r"\frac{3}{10}", "0.3")),
        ("16\\\\\n\\noindent", ("16",)),
        ("$(1,2)$", ("$(1,2)$",)),
        ("f(2)", ("f(2)",)),
        (r"$\log (0.01)=-2$", ("-2",)),
        (r"$i^{5}=i^{4} \cdot i=1 \cdot i=i$", ("i",)),
        (r"$x=\frac{2}{4}=\frac{1}{2}$", (r"x = \frac{1}{2}",)),
        (r"$P(X=5)=\frac{1}{3}$", (r"\frac{1}{3}",)),
        ("Therefore, it takes $\\frac{4}{2}=2$ hours.", ("2 hours",)),
        ("The mode is $1 / 3$.", ("$1 / 3$",)),
        ("The solution is $x=1$ and $y=2$.", ("$x=1$ and $y=2$",)),
        ("Solution is : $\\{g=60, b=2\\}$", ("$\\{g=60, b=2\\}$",)),
        ("$x^2+y^2=1$", ("$x^2+y^2=1$",)),
        ("$x=y=2$", ("$x=y=2$",)),
        ("$y=c_1 x$", ("$y=c_1 x$",)),
        ("$1=x$", ("$1=x$",)),
        ("$2 x = 1$", ("$2 x = 1$",)),
        ("$C$ is not invertible", ("$C$ is not invertible",)),
        ("It holds if $x$ is $2$ or if it is large.", ("It holds if $x$ is $2$ or if it is large.",)),
        (r"$a=1, b=2$", (r"$a=1, b=2$",)),
        ("The steady state current is 2 amps.", ("2 amps",)),
        ("The mean is 3. The median is 4.", ("The mean is 3. The median is 4.",)),
        (r"$\frac{4}{\cos 1} \approx 7.4$", (r"\frac{4}{\cos 1}", "7.4")),
        (r"$\approx 6.76$", ("6.76",)),
        (r"$x \approx 6.76$", (r"$x \approx 6.76$",)),
        (r"$x = \sqrt{2} \approx 1.41$", (r"x = \sqrt{2}", "x = 1.41")),
        (r"$x<-7:(-\infty,-7)$", ("x<-7", r"(-\infty,-7)")),
        ("$3:4$", ("$3:4$",)),
        (r"$$ \left|\begin{array}{ll}1 & 2 \\ 1 & 0\end{array}\right|=-2 $$", ("-2",)),
    ],
)
def test_an_answer_is_read_as_people_write_it(tmp_path, written, accepted):
    assert golds(of_answer(tmp_path, written)) == [accepted]


ORZ = [
    [{"from": "human", "value": ASK}, {"from": "assistant", "ground_truth": {"value": "2"}}],
    [{"from": "human", "value": "And two plus two?"}, {"from": "assistant", "ground_truth": {"value": "4"}}],
]
BY_CONVERSATION = {"prompt": "messages", "answer": "messages.ground_truth.value"}


@pytest.mark.parametrize("suffix", ["json", "jsonl", "json.gz"])
def test_lists_of_conversations_are_read(tmp_path, suffix):
    lines = "\n".join(json.dumps(row) for row in ORZ) if suffix == "jsonl" else json.dumps(ORZ)
    path = tmp_path / f"orz.{suffix}"
    path.write_bytes(gzip.compress(lines.encode()) if suffix.endswith("gz") else lines.encode())
    found = read(path, **BY_CONVERSATION)
    assert found.kept["prompt"].to_list() == [ASK, "And two plus two?"]
    assert golds(found) == [("2",), ("4",)]


def test_a_conversation_that_solves_its_problem_is_prompt_and_solution(tmp_path):
    messages = [{"role": "user", "content": ASK}, {"role": "assistant", "content": r"It is $\boxed{2}$."}]
    found = from_rows(tmp_path, {"messages": messages}, prompt="messages", answer="messages", answer_format="boxed")
    assert (found.kept["prompt"][0], golds(found)) == (ASK, [("2",)])


@pytest.mark.parametrize(
    "messages",
    [
        {"role": ["system", "user"], "content": ["Be brief.", ASK]},
        json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": ASK}]),
    ],
    ids=["columns", "text"],
)
def test_a_conversation_may_be_columns_or_text(tmp_path, messages):
    found = from_rows(tmp_path, {"prompt": messages, "answer": "2"}).kept
    assert found.select("prompt", "system").rows() == [(ASK, "Be brief.")]


def test_of_several_user_turns_the_last_one_is_the_prompt_and_parts_of_text_are_joined(tmp_path):
    turns = [
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": [{"type": "text", "text": ASK}, {"type": "text", "text": "Be brief."}]},
    ]
    assert from_rows(tmp_path, {"prompt": turns, "answer": "2"}).kept["prompt"].to_list() == [f"{ASK}\nBe brief."]


TABLE = [{"problem": ASK, "answer": "2"}, {"problem": "And two plus two?", "answer": "4"}]


@pytest.mark.parametrize(
    "content",
    [
        TABLE,
        {"problem": [row["problem"] for row in TABLE], "answer": [row["answer"] for row in TABLE]},
        {"about": "sums", "example": TABLE},
        {"first": TABLE[0], "second": TABLE[1]},
        {name: {"0": TABLE[0][name], "1": TABLE[1][name]} for name in ("problem", "answer")},
        [{"problem_1": TABLE[0]}, {"problem_2": TABLE[1]}],
    ],
    ids=["rows", "columns", "rows in a field", "rows by name", "columns by place", "rows in objects"],
)
def test_json_is_read_in_each_of_its_layouts(tmp_path, content):
    path = tmp_path / "problems.json"
    path.write_text(json.dumps(content))
    assert golds(read(path, prompt="problem")) == [("2",), ("4",)]


def test_lines_of_json_under_the_suffix_of_json_are_read(tmp_path):
    assert golds(read(write(tmp_path / "train.json", TABLE), prompt="problem")) == [("2",), ("4",)]


def test_olympiadbench_has_several_golds_a_unit_and_tolerances_that_set_a_row_aside(tmp_path):
    rows = [
        {"question": "a?", "final_answer": ["2", "two"], "is_multiple_answer": False, "unit": None, "error": None},
        {"question": "b?", "final_answer": ["1", "3"], "is_multiple_answer": True, "unit": None, "error": None},
        {"question": "c?", "final_answer": ["5"], "is_multiple_answer": False, "unit": "km", "error": None},
        {"question": "d?", "final_answer": ["4.2"], "is_multiple_answer": False, "unit": None, "error": "1e-1"},
    ]
    columns = {"answer": "final_answer", "all_needed": "is_multiple_answer", "unit": "unit", "tolerance": "error"}
    found = from_rows(tmp_path, *rows, prompt="question", **columns)
    assert golds(found) == [("2", "two"), ("1, 3",), ("5 km",)]
    assert found.dropped.select("origin", "reason", "found").rows() == [
        (
            "line 4",
            "needs_a_tolerance",
            "column error holds the tolerance '1e-1'; one rule holds for a source: set its `tolerance`, and leave the "
            "column out, to judge all rows by it",
        )
    ]


@pytest.mark.parametrize("answer", ["proof", "notfound", "Proof.", "N/A", ["not found"]])
def test_what_says_that_there_is_no_answer_is_set_aside_by_name(tmp_path, answer):
    dropped = of_answer(tmp_path, answer).dropped
    assert dropped["reason"].to_list() == ["not_an_answer"]
    assert "column answer holds" in dropped["found"][0]


ARC = {"text": ["Fe", "Au", "Na"], "label": ["A", "B", "C"]}


@pytest.mark.parametrize(
    ("choices", "answer", "accepted"),
    [
        (ARC, "C", ("C", "(C) Na")),
        ({**ARC, "label": ["1", "2", "3"]}, "3", ("C", "(C) Na")),
        (
            [{"label": "A", "text": "Fe"}, {"label": "B", "text": "Au"}, {"label": "C", "text": "Na"}],
            "C",
            ("C", "(C) Na"),
        ),
        (["A)Fe", "B)Au", "C)Na"], "C", ("C", "(C) Na")),
        ({"A": "Fe", "B": "Au", "C": "Na"}, "(C)", ("C", "(C) Na")),
        ("A) Fe B) Au C) Na", "C", ("C", "(C) Na")),
        ("a ) Fe , b ) Au , c ) Na", "c", ("C", "(C) Na")),
        (["Fe", "Au", "Na"], 2, ("C", "(C) Na")),
        (["Fe", "Au", "Na"], "Na", ("C", "(C) Na")),
        (["Fe", "Au", "Na"], "CA", ("AC", "A, C")),
    ],
)
def test_choices_are_part_of_the_prompt_and_a_letter_or_its_text_is_right(tmp_path, choices, answer, accepted):
    row = {"question": "Which one is sodium?", "choices": choices, "answerKey": answer}
    found = from_rows(tmp_path, row, prompt="question", answer="answerKey", choices="choices")
    assert found.kept["prompt"].to_list() == ["Which one is sodium?\n\nA) Fe\nB) Au\nC) Na"]
    assert golds(found) == [accepted]


@pytest.mark.parametrize("texts", [["B", "C"], ["salt", "Salt"]])
def test_a_text_that_could_be_another_choice_is_not_accepted_beside_the_letter(tmp_path, texts):
    row = {"prompt": "Which is it?", "choices": texts, "answer": 0}
    assert golds(from_rows(tmp_path, row, choices="choices")) == [("A",)]


def test_an_answer_that_is_none_of_the_choices_is_set_aside_with_them(tmp_path):
    row = {"prompt": "Which is it?", "choices": ["Fe", "Au"], "answer": "F"}
    assert from_rows(tmp_path, row, choices="choices").dropped.select("reason", "found").rows() == [
        ("answer_not_a_choice", "column answer holds the text 'F'; the answer of a problem with choices is one of A, B")
    ]


def test_labels_as_answers_are_refused_where_the_prompt_lacks_their_choices(tmp_path):
    rows = [{"question": "Which one is sodium?", "choices": ARC, "answerKey": "C"}]
    with pytest.raises(
        SourceError, match=r"are labels of the choices in column 'choices', .* set choices to 'choices'"
    ):
        from_rows(tmp_path, *rows, prompt="question", answer="answerKey")
    shown = {**rows[0], "question": "Which one is sodium?\nA Fe\nB Au\nC Na"}
    assert golds(from_rows(tmp_path, shown, prompt="question", answer="answerKey")) == [("C",)]


@pytest.mark.parametrize(
    ("solution", "accepted"),
    [
        ("She sold 48 + 24 = 72. The answer is 72.", ("72",)),
        ("She sold 72 clips.", ("72",)),
        ("48 in April, 24 in May.\nTogether that makes 72 clips.", ("72",)),
    ],
)
def test_an_answer_in_a_sentence_is_read(tmp_path, solution, accepted):
    assert golds(of_answer(tmp_path, solution, answer_format="sentence")) == [accepted]


def test_a_sentence_without_one_number_states_no_answer(tmp_path):
    found = of_answer(tmp_path, "She sold 48 clips and 24 pins.", answer_format="sentence")
    assert found.dropped["reason"].to_list() == ["no_final_answer"]


@pytest.mark.parametrize(
    ("solution", "accepted"),
    [
        (r"Hence $\boxed{2}$. Check: again $x = \boxed{2}$.", ("2",)),
        (r"so $x$ is \boxed{3}, \boxed{5}.", ("3, 5",)),
        (r"$x=\boxed{3}$, $x=\boxed{5}$, and $x=\boxed{7}$.", ("3, 5, 7",)),
        (
            r"$d = \boxed{15\frac{39}{40}},$ or $\boxed{\frac{639}{40}}$ inches.",
            (r"15\frac{39}{40}", r"\frac{639}{40}"),
        ),
        (r"First \boxed{1} is found, from which we see that it is \boxed{4}.", ("4",)),
        (r"\boxed{\text{Both } \boxed{2}}", ("2",)),
    ],
)
def test_boxes_that_are_named_together_are_one_answer_or_alternatives(tmp_path, solution, accepted):
    assert golds(of_answer(tmp_path, solution, answer_format="boxed")) == [accepted]


@pytest.mark.parametrize(
    "answer",
    [
        ["assert f(1) == 2", "assert f(2) == 3"],
        '{"inputs": ["1\\n"], "outputs": ["2\\n"]}',
        [{"input": "1", "output": "2"}],
        "def f(x):\n    return x + 1",
        '["import sys\\nprint(2)"]',
    ],
)
def test_tests_and_programs_are_refused_since_they_need_a_sandbox(tmp_path, answer):
    dropped = of_answer(tmp_path, answer).dropped
    assert dropped["reason"].to_list() == ["needs_a_sandbox"]
    assert dropped["found"][0].endswith("; they need a sandbox, which is not here")


@pytest.mark.parametrize(
    "row",
    [
        {"text": ASK, "code": "def f(x):\n    return x", "test_list": ["assert f(1) == 2", "assert f(2) == 3"]},
        {"question": ASK, "solutions": '["print(2)"]', "input_output": '{"inputs": ["1"], "outputs": ["2"]}'},
    ],
    ids=["MBPP", "APPS"],
)
def test_a_source_of_tests_is_refused_in_one_sentence(tmp_path, row):
    prompt, *_, tests = row
    with pytest.raises(
        SourceError, match=f"tests in column '{tests}', and tests need a sandbox, which is not here: set"
    ):
        from_rows(tmp_path, row, row, prompt=prompt)


def test_a_prompt_of_several_columns_joins_their_texts(tmp_path):
    rows = [
        {"body": "Ann has 2 apples.", "question": "How many?", "answer": 2},
        {"body": None, "question": ASK, "answer": 2},
    ]
    found = from_rows(tmp_path, *rows, prompt=("body", "question"))
    assert found.kept["prompt"].to_list() == ["Ann has 2 apples.\nHow many?", ASK]


@pytest.mark.parametrize("pattern", ["shards", "shards/train-*.parquet", "shards/*"])
def test_shards_are_read_by_a_folder_or_a_glob(tmp_path, pattern):
    (tmp_path / "shards").mkdir()
    for number, row in enumerate(TABLE):
        pl.DataFrame([row]).write_parquet(tmp_path / "shards" / f"train-0000{number}-of-00002.parquet")
    (tmp_path / "shards" / "README.md").write_text("about")
    found = read(tmp_path / pattern, prompt="problem")
    assert golds(found) == [("2",), ("4",)]
    assert found.kept["origin"][1] == "train-00001-of-00002.parquet row 1"


def test_shards_of_lines_may_be_compressed(tmp_path):
    for number, row in enumerate(TABLE):
        (tmp_path / f"part{number}.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode()))
    assert golds(read(tmp_path, prompt="problem")) == [("2",), ("4",)]


def test_a_folder_of_several_splits_or_formats_is_refused_with_the_glob_to_write(tmp_path):
    write(tmp_path / "train.jsonl", TABLE)
    write(tmp_path / "test.jsonl", TABLE)
    with pytest.raises(SourceError, match=r"several splits \(test, train\): name those to read by a glob, such as"):
        read(tmp_path, prompt="problem")
    (tmp_path / "test.jsonl").rename(tmp_path / "train.json")
    with pytest.raises(SourceError, match=r"several formats \(.json, .jsonl\): name those to read by a glob"):
        read(tmp_path, prompt="problem")


def test_a_folder_without_a_problem_file_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("about")
    with pytest.raises(SourceError, match=r"there is only notes.txt and the like; correct the path of source 'local'"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("row", "reason", "found"),
    [
        (
            {"prompt": {"text": ASK}, "answer": "2"},
            "not_text",
            "column prompt holds an object with the fields text; a prompt is a text or a conversation, whose last user "
            "turn is read",
        ),
        (
            {"prompt": ASK, "answer": {"value": "2"}},
            "not_text",
            "column answer holds an object with the fields value; an answer is read from a text, a number, a boolean, "
            "a list of these, or the last turn of a conversation",
        ),
        (
            {"prompt": [{"role": "system", "content": ASK}], "answer": "2"},
            "missing_prompt",
            "column prompt holds a conversation without a user turn (system); of a conversation, the text of its last "
            "user turn is read",
        ),
        (
            {"prompt": ASK, "answer": None},
            "missing_answer",
            "column answer holds nothing; an answer is read from a text, a number, a boolean, a list of these, or the "
            "last turn of a conversation",
        ),
    ],
)
def test_what_is_set_aside_names_the_column_what_was_found_and_what_would_be_read(tmp_path, row, reason, found):
    dropped = from_rows(tmp_path, row, {"prompt": ASK, "answer": "2"}).dropped
    assert dropped.select("origin", "reason", "found").rows() == [("line 1", reason, found)]


def test_a_path_that_leads_nowhere_is_refused_with_those_that_exist(tmp_path):
    with pytest.raises(SourceError, match=r"has no column 'reward_model.gold': set answer to one of .*ground_truth"):
        from_rows(tmp_path, verl(ASK, "2"), prompt="prompt", answer="reward_model.gold")
