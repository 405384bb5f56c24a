"""A good release passes; with one fault, exactly that one is found and named."""

from io import BytesIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from upath import UPath

from filters.answers.checker import AnswerRule
from generators.problems.loading import problem_id
from releases.errors import UnknownRelease
from releases.facts import SourceFacts
from releases.manifest import FILE_NAME
from releases.verification.verify import CHECKS, verify
from tests.releases.conftest import true_draft_of
from tests.releases.forgery import alone, moved, with_file, with_manifest, with_rows, with_value

SHARD = "data/full/train-00000-of-00001.parquet"
TEST_SHARD = "data/full/test-00000-of-00001.parquet"


def found(folder):
    """The findings of a folder, check by check."""
    return [(name, str(one)) for name, checked in verify(folder).checks.items() for one in checked.findings]


@pytest.fixture
def train(true_draft):
    return true_draft.tables["full"].splits["train"]


@pytest.fixture
def folder(true_draft, folder_of, tmp_path):
    """A true release away from its registry."""
    return alone(folder_of(true_draft), UPath(tmp_path / "alone"))


def test_a_good_release_passes_and_every_check_looked_at_something(true_draft, folder_of):
    report = verify(folder_of(true_draft))
    assert report.findings == ()
    assert {name: (checked.n, checked.what) for name, checked in report.checks.items()} == {
        "files": (10, "files"),
        "columns": (6, "shards"),
        "rules": (48, "rows"),
        "labels": (16, "rows"),
        "answers": (16, "answers"),
        "splits": (16, "problems"),
        "figures": (6, "splits"),
        "licences": (1, "sources"),
        "card": (1, "card"),
    }
    assert report.checks.keys() == CHECKS.keys()


def test_a_release_in_an_object_store_passes_too(true_draft, store):
    assert verify(store.publish(true_draft).path).findings == ()


def test_a_copy_away_from_its_registry_passes_too(folder):
    assert found(folder) == []


def test_a_flipped_label_is_named(true_draft, folder_of, train):
    labels = train["hard_labels"][3].to_list()
    forged = with_value(true_draft, "full", "train", 3, "hard_labels", [labels[0], not labels[1]])
    ((check, said),) = found(folder_of(forged))
    assert check == "labels"
    assert (
        said
        == f"{SHARD}, row 3, column hard_labels: item 1 is {not labels[1]}, it must be {labels[1]} by recomputation"
    )


def test_a_label_flipped_in_a_config_for_training_is_named(true_draft, folder_of):
    labels = true_draft.tables["default"].splits["test"]["labels"][1].to_list()
    forged = with_value(true_draft, "default", "test", 1, "labels", [1 - labels[0], labels[1]])
    ((check, said),) = found(folder_of(forged))
    assert check == "labels"
    assert said == (
        "data/default/test-00000-of-00001.parquet, row 1, column labels: "
        f"item 0 is {1 - labels[0]}, it must be {labels[0]} by recomputation"
    )


def test_every_flipped_label_is_listed(true_draft, folder_of, train):
    forged = true_draft
    for row in (0, 4, 5):
        labels = [not label for label in train["hard_labels"][row]]
        forged = with_value(forged, "full", "train", row, "hard_labels", labels)
    assert [said.split(", column")[0] for _, said in found(folder_of(forged))] == [
        f"{SHARD}, row {row}" for row in (0, 4, 5)
    ]


@pytest.mark.parametrize(
    ("column", "by"), [("soft_labels", -0.01), ("values_low", -0.01), ("values_high", 0.01), ("sound", -0.01)]
)
def test_a_changed_value_is_named(true_draft, folder_of, train, column, by):
    row = train["sound"].is_not_null().arg_max()
    values = train[column][row].to_list()
    forged = with_value(true_draft, "full", "train", row, column, [*values[:-1], values[-1] + by])
    ((check, said),) = found(folder_of(forged))
    assert (check, said.split(": ")[0]) == ("labels", f"{SHARD}, row {row}, column {column}")


def test_a_changed_first_error_is_named(true_draft, folder_of, train):
    forged = with_value(true_draft, "full", "train", 2, "first_error", 1)
    (said,) = found(folder_of(forged))
    assert said == (
        "labels",
        f"{SHARD}, row 2, column first_error: it is 1, it must be {train['first_error'][2]} by recomputation",
    )


def test_a_changed_count_is_found_by_what_follows_from_it(true_draft, folder_of, train):
    row = train["sound"].is_null().arg_max()
    counts = train["n_correct"][row].to_list()
    forged = with_value(true_draft, "full", "train", row, "n_correct", [4, counts[1]])
    places = {(check, said.split(":")[0]) for check, said in found(folder_of(forged))}
    assert ("labels", f"{SHARD}, row {row}, column soft_labels") in places


def test_a_changed_gold_answer_is_named(true_draft, folder_of, train):
    row = train["verdict"].to_list().index("different")
    ((check, said),) = found(folder_of(with_value(true_draft, "full", "train", row, "answer", "99")))
    assert check == "answers"
    assert said.startswith(
        f"{SHARD}, row {row}, column problem_id: it is {train['problem_id'][row]}; a problem with this"
    )


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("extracted", "99", "it is '99', the text ends in"),
        ("verdict", "equal", "gives different"),
        ("steps", ["So.\n", "The answer is \\boxed{99}."], "the text ends in '99'"),
    ],
)
def test_a_changed_answer_is_named(true_draft, folder_of, train, column, value, complaint):
    row = train["verdict"].to_list().index("different")
    forged = with_value(true_draft, "full", "train", row, column, value)
    told = [said for check, said in found(folder_of(forged)) if check == "answers"]
    assert len(told) == 1 and complaint in told[0] and told[0].startswith(f"{SHARD}, row {row}, column ")


def test_a_missing_shard_is_named_and_the_other_rows_are_checked_all_the_same(true_draft, folder_of, train):
    labels = [not label for label in train["hard_labels"][0]]
    folder = folder_of(with_value(true_draft, "full", "train", 0, "hard_labels", labels))
    (folder / TEST_SHARD).unlink()
    told = found(folder)
    assert ("columns", f"{TEST_SHARD}: it is missing") in told
    assert [check for check, said in told if said.startswith(f"{TEST_SHARD}: it is missing")] == ["files", "columns"]
    assert [said.split(":")[0] for check, said in told if check == "labels"] == [f"{SHARD}, row 0, column hard_labels"]


def test_a_shard_that_only_its_siblings_name_is_missing(folder):
    (folder / SHARD).rename(folder / SHARD.replace("of-00001", "of-00002"))
    with_manifest(folder, lambda told: told["files"][0].update(path=SHARD.replace("of-00001", "of-00002")))
    assert found(folder) == [
        (
            "files",
            "data/full/train-00001-of-00002.parquet: the manifest does not list it, and it is one of 2 shards",
        )
    ]


def test_a_shard_that_is_no_parquet_is_named(folder):
    with_file(folder, SHARD, b"PAR1 is how it starts")
    assert next(said for check, said in found(folder) if check == "columns").startswith(
        f"{SHARD}: it cannot be read as Parquet: "
    )


def test_a_wrong_checksum_is_named(folder):
    with_manifest(folder, lambda told: told["files"][0].update(sha256="0" * 64))
    ((check, said),) = found(folder)
    assert (
        check == "files"
        and said.startswith(f"{SHARD}: its SHA-256 is ")
        and said.endswith("the manifest says " + "0" * 64)
    )


def test_a_changed_picture_and_a_file_too_many_are_named(folder):
    (folder / "pictures" / "labels_by_position.png").write_bytes(b"another")
    (folder / "data" / "more.parquet").write_bytes(b"")
    (folder / ".gitattributes").write_bytes(b"what a download leaves")
    assert [said.split(" is ")[0].split(" has ")[0] for _, said in found(folder)] == [
        "pictures/labels_by_position.png: it",
        "data/more.parquet: the manifest does not list it",
    ]


def test_a_manifest_that_is_not_the_one_of_the_index_is_named(true_draft, folder_of):
    folder = with_manifest(folder_of(true_draft), lambda told: told["facts"].update(policy="another"))
    ((check, said),) = found(folder)
    assert check == "files" and said.startswith(f"{FILE_NAME}: its SHA-256 is ") and "versions.json beside" in said


def test_a_version_in_the_folder_of_another_is_named(true_draft, folder_of, tmp_path):
    folder = alone(folder_of(true_draft), UPath(tmp_path / "v0.7.0"))
    assert found(folder) == [("files", f"{FILE_NAME}: it is of version v0.1.0, the folder is v0.7.0")]


def test_a_leaked_problem_is_named(true_draft, folder_of):
    test = true_draft.tables["full"].splits["test"]
    forged = moved(true_draft, "full", test["prompt"][0], source="test", target="train")
    ((check, said),) = found(folder_of(forged))
    last = forged.tables["full"].splits["train"].height - 1
    assert check == "splits"
    assert said == (
        f"{SHARD}, row {last}, column problem_id: problem {test['problem_id'][0]!r} is in train, it belongs to test"
    )


def test_a_problem_leaked_in_a_config_without_ids_is_named_by_its_prompt(true_draft, folder_of):
    prompt = true_draft.tables["default"].splits["test"]["prompt"][0]
    told = found(folder_of(moved(true_draft, "default", prompt, source="test", target="train")))
    assert [said.split("column ")[1] for check, said in told if check == "splits"] == [
        f"prompt: problem {prompt!r} is in train, it belongs to test"
    ]
    assert [said.split(": ")[1][:12] for check, said in told if check == "labels"] == ["the row foll", "the row ('Wh"]


def test_a_problem_on_both_sides_is_named_with_the_row_that_it_repeats(true_draft, folder_of):
    leaked = true_draft.tables["full"].splits["test"].head(1)
    forged = with_rows(true_draft, "full", "train", lambda frame: pl.concat([frame, leaked]))
    assert [check for check, _ in found(folder_of(forged))] == ["rules", "splits"]


def test_a_broken_rule_is_named_and_the_row_is_spared_what_needs_it(true_draft, folder_of):
    assert found(folder_of(with_value(true_draft, "full", "train", 1, "n_correct", [9, 9]))) == [
        ("rules", f"{SHARD}, row 1, column n_correct: the rule n_correct: at_most_n_rollouts is broken; it is [9, 9]")
    ]


def test_a_list_that_is_too_short_is_named_and_stops_no_other_rule(true_draft, folder_of, train):
    short = with_value(true_draft, "full", "train", 1, "n_correct", [7])
    folder = folder_of(with_value(short, "full", "train", 2, "verdict", "fine"))
    assert found(folder) == [
        ("rules", f"{SHARD}, row 1, column n_correct: the rule n_correct: one_per_step is broken; it is [7]"),
        ("rules", f"{SHARD}, row 2, column verdict: the rule verdict: known is broken; it is 'fine'"),
    ]


def test_a_null_is_named_by_its_row(folder):
    table = pq.read_table(folder / SHARD)
    prompts = table["prompt"].to_pylist()
    rewrite(folder, table.set_column(2, "prompt", pa.array([*prompts[:-1], None])))
    assert [
        (check, said.split("column ")[1][:6]) for check, said in found(folder) if check in ("columns", "rules")
    ] == [("columns", "prompt"), ("rules", "prompt")]
    assert ("rules", f"{SHARD}, row 7, column prompt: it holds a null; string is declared") in found(folder)


def rewrite(folder, table):
    target = BytesIO()
    pq.write_table(table, target)
    with_file(folder, SHARD, target.getvalue())


@pytest.mark.parametrize(
    ("change", "column", "complaint"),
    [
        (
            lambda t: t.append_column("extra", pa.array([1] * len(t))),
            "extra",
            "process_labels/full has no such column",
        ),
        (lambda t: t.drop_columns(["level"]), "level", "it is missing; process_labels/full has it as string"),
        (
            lambda t: t.set_column(0, "problem_id", pa.array([1] * len(t))),
            "problem_id",
            "it is int64; process_labels/full has it as string not null",
        ),
    ],
)
def test_a_column_that_is_not_the_declared_one_is_named(folder, change, column, complaint):
    rewrite(folder, change(pq.read_table(folder / SHARD)))
    assert ("columns", f"{SHARD}, column {column}: {complaint}") in found(folder)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda told: told["rows"]["full"].update(train=7), "full/train is said to have 7 rows"),
        (lambda told: told["label_counts"]["test"].update(right=99), "labels of test are said to be {"),
        (lambda told: told.update(content="0" * 64), "the digest of the rows is"),
    ],
)
def test_a_figure_of_the_manifest_that_is_not_true_is_named(folder, change, complaint):
    ((check, said),) = found(with_manifest(folder, change))
    assert check == "figures" and said.startswith(f"{FILE_NAME}: {complaint}")


@pytest.mark.parametrize(
    ("change", "checks", "complaint"),
    [
        (lambda facts: facts["settings"].pop("export"), ["labels", "answers", "splits"], "settings.export lacks "),
        (
            lambda facts: facts["settings"]["export"]["priors"].clear(),
            ["labels"],
            "there are no priors of slice sums-0, whose rows have a soundness",
        ),
        (
            lambda facts: facts["sources"][0].update(name="products"),
            ["answers"],
            "it names no source sums, by whose rule answers could",
        ),
    ],
)
def test_a_manifest_without_what_rows_are_derived_with_is_named(folder, change, checks, complaint):
    told = found(with_manifest(folder, lambda manifest: change(manifest["facts"])))
    assert [check for check, _ in told] == checks
    assert all(said.startswith(f"{FILE_NAME}: {complaint}") for _, said in told)


def test_what_found_an_answer_is_verified(true_draft, folder_of):
    ((check, said),) = found(folder_of(with_value(true_draft, "full", "train", 2, "found_by", "phrase")))
    assert (check, said) == (
        "answers",
        f"{SHARD}, row 2, column found_by: it is 'phrase', the answer is found by 'box'",
    )
    ((_, said),) = found(folder_of(with_value(true_draft, "full", "train", 2, "found_by", None)))
    assert said.endswith("it is None, the answer is found by 'box'")


def test_a_verdict_is_held_against_every_accepted_answer(true_rows, facts, folder_of):
    ids = [
        problem_id(prompt, "unlike", [answer]) for prompt, answer in true_rows.select("prompt", "answer").iter_rows()
    ]
    further = true_rows.with_columns(
        pl.Series("problem_id", ids), also_accepted=pl.concat_list("answer"), answer=pl.lit("unlike")
    )
    draft = true_draft_of(further, facts())
    assert found(folder_of(draft)) == []
    forged = with_value(draft, "full", "train", 0, "also_accepted", ["99"])
    complaints = [said for check, said in found(folder_of(forged)) if check == "answers"]
    assert any("column problem_id" in said and "the answers 'unlike', '99' is" in said for said in complaints)
    verdict = draft.tables["full"].splits["train"]["verdict"][0]
    assert any("column verdict" in said for said in complaints) == (verdict == "equal")


def test_answers_are_verified_by_the_rule_of_their_source(true_rows, facts, folder_of):
    bare = true_rows.with_columns(
        pl.concat_list(pl.col("steps").list.first(), pl.lit("So it is.")).alias("steps"), found_by=pl.lit("last_number")
    )
    rule = AnswerRule(bare_last_number=True)
    sources = (SourceFacts(name="sums", problems=16, answer_rule=rule),)
    folder = folder_of(true_draft_of(bare, facts(sources=sources)))
    assert found(folder) == []
    with_manifest(folder, lambda told: told["facts"]["sources"][0]["answer_rule"].update(bare_last_number=False))
    told = [said.split(": ")[1] for check, said in found(folder) if check == "answers"]
    ends = ("gives no_answer", "the text ends in None", "the answer is found by None")
    assert len(told) == 48 and all(said.endswith(ends) for said in told)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("path: data/full/train-*", "path: data/full/none-*", "for full/train its YAML names no file"),
        ("split: train", "split: tr-ain", "datasets cannot read its YAML: "),
        ("configs:", "configs: [", "datasets cannot read its YAML: "),
        ("config_name: default", "config_name: steps", "for default/test its YAML names no file"),
        (
            "config_name: full\n",
            "config_name: full\n  default: true\n",
            "datasets cannot read its YAML: Dataset has sev",
        ),
    ],
)
def test_a_card_that_does_not_load_the_release_is_named(folder, old, new, complaint):
    card = (folder / "README.md").read_text()
    assert old in card
    with_file(folder, "README.md", card.replace(old, new, 1).encode())
    check, said = found(folder)[0]
    assert check == "card" and said.startswith(f"README.md: {complaint}")


def test_a_missing_card_is_named(folder):
    (folder / "README.md").unlink()
    assert ("card", "README.md: it is missing") in found(folder)


def test_a_folder_that_is_no_version_and_a_dataset_without_verifier_are_refused(folder, tmp_path):
    with pytest.raises(UnknownRelease, match=r"holds no manifest\.json: name the folder of one version"):
        verify(UPath(tmp_path))
    with pytest.raises(UnknownRelease, match="poems is no dataset that can be checked; there are process_labels"):
        verify(with_manifest(folder, lambda told: told.update(dataset="poems")))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hard_threshold", 1.5),
        ("hard_threshold", []),
        ("confidence", None),
        ("confidence", {"a": 1}),
        ("label_ratio", -1),
        ("label_ratio", "many"),
        ("priors", [1]),
        ("test", "x"),
    ],
)
def test_parameters_that_cannot_be_are_findings_and_end_nothing(folder, name, value):
    told = found(with_manifest(folder, lambda data: data["facts"]["settings"]["export"].update({name: value})))
    assert any(said.startswith(f"{FILE_NAME}: settings.export lacks") for _, said in told)
