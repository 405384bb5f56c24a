"""The command `stepmill` as a person meets it: what it prints, and how it ends."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from releases.cli import app
from releases.registry.hub import HubRegistry
from tests.hub.faults import Fault
from tests.hub.state import Blob
from tests.releases.forgery import with_value


@pytest.fixture
def stepmill():
    def run(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def good(registry, true_draft):
    return registry.publish(true_draft).path


@pytest.fixture
def flipped(registry, true_draft, good):
    labels = [not label for label in true_draft.tables["full"].splits["train"]["hard_labels"][3]]
    return registry.publish(with_value(true_draft, "full", "train", 3, "hard_labels", labels)).path


def test_a_good_release_ends_with_a_table_and_zero(stepmill, good):
    told = stepmill("verify", good)
    assert told.exit_code == 0
    assert "labels    16 rows             0" in told.output
    assert told.output.endswith("process_labels v0.1.0 is as its manifest says\n")


def test_a_version_is_named_by_its_dataset_too(stepmill, registry, good):
    dataset = registry.root / "process_labels"
    assert stepmill("verify", dataset, "--version", "v0.1.0").exit_code == 0
    told = stepmill("verify", dataset)
    assert told.exit_code == 2
    assert "process_labels is a dataset: name its version with --version, one of v0.1.0" in told.stderr
    assert "has no version v7.0.0; there are v0.1.0" in stepmill("verify", dataset, "--version", "v7.0.0").stderr


def test_a_finding_is_printed_with_its_place_and_the_command_fails(stepmill, flipped):
    told = stepmill("verify", flipped)
    assert told.exit_code == 1
    assert told.output.startswith("data/full/train-00000-of-00001.parquet, row 3, column hard_labels: item 0 is ")
    assert told.output.endswith("process_labels v0.1.1 has 1 finding\n")


def test_a_difference_is_told_in_tables_and_is_one(stepmill, good, flipped):
    told = stepmill("diff", good, flipped)
    assert told.exit_code == 1
    assert told.output.startswith(
        "process_labels v0.1.0 and v0.1.1 differ\n\nconfig     added  removed  changed  same\n"
    )
    assert "full           0        0        1    15\n" in told.output
    assert re.search(r"full: changed \('[0-9a-f]{24}', 0, '[a-z_]+'\) in hard_labels\n", told.output)
    assert re.search(r"\nlabels +v0\.1\.0  v0\.1\.1\n", told.output)
    assert re.search(r"\nsteps per row +v0\.1\.0  v0\.1\.1\n(.*\n){2}shortest +2 +2\n", told.output)


def test_more_rows_than_the_limit_are_counted(stepmill, good, flipped):
    assert "full: changed 1 more\n" in stepmill("diff", good, flipped, "--limit", 0).output


def test_equal_releases_are_said_to_be_equal(stepmill, good):
    told = stepmill("diff", good, good)
    assert (told.exit_code, told.output) == (0, "process_labels v0.1.0 and v0.1.0 hold equal rows\n")


def test_a_pulled_version_verifies(stepmill, registry, good, tmp_path):
    pull = ("pull", "process_labels", "--version", "v0.1.0", "--from", registry.root, "--into", tmp_path / "here")
    place = tmp_path / "here" / "process_labels" / "v0.1.0"
    assert stepmill(*pull).output == f"process_labels v0.1.0 is now at {place}\n"
    assert stepmill(*pull).output == f"process_labels v0.1.0 is already at {place}\n"
    assert stepmill("verify", place).exit_code == 0


def test_a_damaged_release_is_not_pulled(stepmill, registry, good, tmp_path):
    (good / "README.md").write_text("another")
    told = stepmill(
        "pull", "process_labels", "--version", "v0.1.0", "--from", registry.root, "--into", tmp_path / "here"
    )
    assert told.exit_code == 2
    assert told.stderr.startswith(f"stepmill: {good / 'README.md'} has the SHA-256 ")


def test_the_command_starts_without_dagster_torch_or_a_table():
    program = "import sys; import releases.cli; print({'dagster', 'torch', 'polars', 'datasets'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_some_rows_are_shown_as_markdown_the_same_ones_for_the_same_seed(stepmill, good):
    told = stepmill("show", good, "--rows", 2, "--seed", 5, "--columns", "prompt, completions")
    assert told.exit_code == 0
    assert re.findall(r"^### Row (\d)$", told.output, re.MULTILINE) == ["1", "2"]
    assert re.findall(r"^\*\*(\w+)\*\*", told.output, re.MULTILINE) == ["prompt", "completions"] * 2
    again = stepmill("show", good, "--rows", 2, "--seed", 5, "--columns", "prompt,completions")
    other = stepmill("show", good, "--rows", 2, "--seed", 6, "--columns", "prompt,completions")
    assert again.output == told.output != other.output


def test_a_column_that_is_not_there_is_named_with_those_that_are(stepmill, good):
    told = stepmill("show", good, "--columns", "poem")
    assert told.exit_code == 2
    assert "there is no column poem; there are prompt, completions, labels" in told.stderr


@pytest.fixture
def on_hub(hub, true_draft, monkeypatch, tmp_path):
    """Two versions of `lab/process_labels` on the Hub, the second with one changed row."""
    labels = [not label for label in true_draft.tables["full"].splits["train"]["hard_labels"][3]]
    for draft in (true_draft, with_value(true_draft, "full", "train", 3, "hard_labels", labels)):
        HubRegistry("lab").publish(draft)
    monkeypatch.chdir(tmp_path)
    return "lab/process_labels"


@pytest.mark.parametrize("name", ["lab/process_labels", "hf://datasets/lab/process_labels"])
def test_a_version_on_the_hub_is_verified_like_a_folder(stepmill, on_hub, name):
    verified = stepmill("verify", name, "--version", "v0.1.0")
    assert (verified.exit_code, verified.stderr) == (0, "")
    assert verified.output.endswith("process_labels v0.1.0 is as its manifest says\n")
    assert stepmill("verify", f"{name}@v0.1.0").output == verified.output
    bad = stepmill("verify", f"{name}@v0.1.1")
    assert bad.exit_code == 1
    assert "row 3, column hard_labels" in bad.output


def test_a_file_that_the_hub_lacks_or_has_otherwise_is_a_finding(stepmill, on_hub, hub):
    repository = hub.state.repository(on_hub)
    files = repository.at("v0.1.0").files
    picture = next(path for path in files if path.endswith(".png"))
    changed = {path: blob for path, blob in files.items() if path != picture} | {"README.md": Blob(b"another", False)}
    repository.commits[1] = replace(repository.commits[1], files=changed)
    damaged = stepmill("verify", f"{on_hub}@v0.1.0")
    assert damaged.exit_code == 1
    assert f"{picture}: it is missing" in damaged.output
    assert "README.md: it has 7 bytes, the manifest says" in damaged.output
    refused = stepmill("pull", f"{on_hub}@v0.1.0", "--into", "here")
    assert refused.exit_code == 2
    assert re.search(r"README\.md has the SHA-256|\.png is missing", refused.stderr)


def test_versions_on_the_hub_are_compared_pulled_and_shown(stepmill, on_hub, good, tmp_path):
    assert (
        "full           0        0        1    15\n" in stepmill("diff", f"{on_hub}@v0.1.0", f"{on_hub}@v0.1.1").output
    )
    mixed = stepmill("diff", on_hub, good.parent, "--version", "v0.1.0")
    assert mixed.output == "process_labels v0.1.0 and v0.1.0 hold equal rows\n"
    for pull in (
        ("pull", on_hub, "--version", "v0.1.1", "--into", "here"),
        ("pull", "process_labels", "--from", "lab", "--version", "v0.1.0", "--into", "here"),
    ):
        assert stepmill(*pull).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "here" / "process_labels").iterdir()) == ["v0.1.0", "v0.1.1"]
    shown = stepmill("show", f"{on_hub}@v0.1.0", "--rows", 2)
    assert shown.output.count("### Row") == 2
    assert shown.stdout == stepmill("show", good, "--rows", 2).stdout


def test_a_pulled_copy_is_named_by_its_dataset_too(stepmill, on_hub):
    stepmill("pull", f"{on_hub}@v0.1.0", "--into", "here")
    assert stepmill("verify", "here/process_labels", "--version", "v0.1.0").exit_code == 0
    assert stepmill("verify", "here/process_labels@v0.1.0").exit_code == 0


def test_an_object_store_is_verified_and_pulled_from(stepmill, store, true_draft, tmp_path):
    store.publish(true_draft)
    assert stepmill("verify", f"{store.root}/process_labels", "--version", "v0.1.0").exit_code == 0
    assert stepmill("verify", f"{store.root}/process_labels/v0.1.0").exit_code == 0
    assert stepmill("pull", f"{store.root}/process_labels@v0.1.0", "--into", tmp_path / "here").exit_code == 0


WRONG = [
    (("verify", "lab/process_labels", "--version", "v9.9.9"), "has no version v9.9.9; there are v0.1.0, v0.1.1"),
    (("verify", "lab/process_label@v0.1.0"), "there are process_labels; did you mean process_labels?"),
    (("verify", "lab/process_labels"), "is a dataset: name its version with --version, one of v0.1.0, v0.1.1"),
    (("verify", "lab/process_labels@v0.1.0", "--version", "v0.1.1"), "name two versions: leave one of them out"),
    (("verify", "hf://datasets/process_labels"), "write hf://datasets/<organisation>/<dataset>"),
    (("verify", "nowhere/process_labels@v0.1.0"), "is no folder here, and on the Hub: there is no dataset"),
    (("verify", "teleport://bucket/process_labels"), "teleport://bucket/process_labels cannot be opened"),
    (("verify", ""), "the name of the release is empty"),
    (("verify", "{root}"), "holds datasets; name one of them: process_labels"),
    (("verify", "{root}/process_labels/v0.1.0", "--version", "v0.2.0"), "holds version v0.1.0, not v0.2.0"),
    (("verify", "{root}/process_label", "--version", "v0.1.0"), "did you mean process_labels?"),
    (("diff", "lab/process_labels@v0.1.0", "lab/process_labels@v9.9.9"), "has no version v9.9.9; there are v0.1.0"),
    (
        ("pull", "process_label", "--from", "{root}", "--version", "v0.1.0", "--into", "here"),
        "there are process_labels",
    ),
    (
        ("pull", "process_label", "--from", "lab", "--version", "v0.1.0", "--into", "here"),
        "did you mean process_labels?",
    ),
    (("show", "{root}/process_labels/v0.1.0", "--config", "step"), "has no config step; there are default, full"),
    (("show", "lab/process_labels@v0.1.0", "--config", "defualt"), "did you mean default?"),
    (("show", "{root}/process_labels/v0.1.0", "--columns", "promt"), "did you mean prompt?"),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG)
def test_a_wrong_name_is_answered_with_those_there_are(stepmill, on_hub, good, registry, tmp_path, arguments, sentence):
    refused = stepmill(*(argument.format(root=registry.root) for argument in arguments))
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert refused.stderr.startswith("stepmill: ") and refused.stderr.count("\n") == 1
    assert sentence in refused.stderr
    assert not (tmp_path / "here").exists()


def test_a_private_dataset_without_a_token_names_the_variable(stepmill, on_hub, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    refused = stepmill("verify", f"{on_hub}@v0.1.0")
    assert refused.exit_code == 2
    assert "there is no dataset process_labels in" in refused.stderr
    assert "without HF_TOKEN; there are no datasets" in refused.stderr


def test_a_repository_that_a_hub_hides_behind_401_is_one_that_does_not_exist(stepmill, on_hub, hub, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    # Over https, the client itself takes every such 401 for a repository that is not there.
    missing = {"status": 401, "headers": {"X-Error-Code": "RepoNotFound"}}
    hub.faults = [Fault("GET /datasets", **missing), Fault("/refs", **missing)]
    refused = stepmill("verify", "lab/labels@v0.1.0")
    assert refused.exit_code == 2
    assert "there is no dataset labels in" in refused.stderr
    assert hub.faults[0].times == hub.faults[1].times == 0


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_asks_for_the_right_to_read(stepmill, on_hub, hub, status):
    headers = {"X-Error-Message": "Invalid credentials in Authorization header"}
    hub.faults = [Fault("GET /datasets", status=status, headers=headers, times=9)]
    refused = stepmill("verify", f"{on_hub}@v0.1.0")
    assert refused.exit_code == 2
    assert f"({status}): set HF_TOKEN to a token with read access to lab; its token may not" in refused.stderr


def test_without_a_network_the_hub_is_named(stepmill, on_hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    refused = stepmill("verify", f"{on_hub}@v0.1.0")
    assert refused.exit_code == 2
    assert "the Hub at http://127.0.0.1:9 did not read manifest.json of lab/process_labels" in refused.stderr
    assert refused.stderr.endswith("check the network and run the command again\n")


def test_a_program_reads_a_report_as_json(stepmill, good, flipped):
    report = json.loads(stepmill("verify", good, "--json").stdout)
    assert (report["dataset"], report["version"], report["is_good"]) == ("process_labels", "v0.1.0", True)
    assert report["checks"]["labels"] == {"n": 16, "what": "rows", "n_findings": 0}
    bad = stepmill("verify", flipped, "--json")
    assert bad.exit_code == 1
    (finding,) = json.loads(bad.stdout)["findings"]
    assert (finding["check"], finding["row"], finding["column"]) == ("labels", 3, "hard_labels")


def test_a_program_reads_a_comparison_as_json(stepmill, good, flipped):
    compared = stepmill("diff", good, flipped, "--json")
    assert compared.exit_code == 1
    difference = json.loads(compared.stdout)
    assert (difference["first"], difference["second"], difference["is_equal"]) == ("v0.1.0", "v0.1.1", False)
    full = difference["configs"]["full"]
    assert (full["n_added"], full["n_removed"], full["n_changed"], full["n_same"]) == (0, 0, 1, 15)
    assert [row["columns"] for row in full["changed"]] == [["hard_labels"]]
    limited = json.loads(stepmill("diff", good, flipped, "--json", "--limit", 0).stdout)
    assert (limited["configs"]["full"]["n_changed"], limited["configs"]["full"]["changed"]) == (1, [])


def test_columns_of_tokens_are_shown_only_on_request(stepmill, good):
    usual = stepmill("show", good, "--config", "full")
    assert "**steps**" in usual.stdout and "token_ids" not in usual.stdout
    assert usual.stderr == "stepmill: left out prompt_token_ids, token_ids; --all-columns shows them\n"
    every = stepmill("show", good, "--config", "full", "--all-columns")
    assert "**prompt_token_ids**: `[1, 2]`" in every.stdout and every.stderr == ""
    named = stepmill("show", good, "--config", "full", "--columns", "token_ids")
    assert named.stdout.startswith("### Row 1\n\n**token_ids**: `[0, 1, ") and named.stderr == ""
    assert "**level**: -" in usual.stdout


def test_what_a_row_says_to_a_terminal_is_shown_as_letters(stepmill, registry, true_draft):
    said = "\x1b]52;c;QQ==\x07\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}\n~~~~\n# heading"
    folder = registry.publish(with_value(true_draft, "full", "train", 3, "prompt", said)).path
    other = registry.publish(with_value(true_draft, "full", "train", 3, "policy", said)).path
    for arguments in (
        ("show", folder, "--config", "full", "--rows", 99),
        ("verify", folder),
        ("verify", folder, "--json"),
        ("diff", folder, other),
        ("diff", folder, other, "--json"),
    ):
        told = stepmill(*arguments)
        assert told.exit_code < 2
        assert re.findall(r"[^\n\x20-\x7e…–δΔ]", told.output) == [], arguments
    shown = stepmill("show", folder, "--config", "full", "--rows", 99).output
    assert "~~~~~text\n\\u001b]52;c;QQ==\\u0007\\u001b[2J\\u202e\n~~~~\n# heading\n~~~~~\n" in shown


def test_a_row_that_breaks_a_rule_is_not_drawn(stepmill, registry, true_draft, tmp_path):
    folder = registry.publish(with_value(true_draft, "full", "train", 1, "n_correct", [7])).path
    told = stepmill("view", folder, "--out", tmp_path / "page.html")
    assert told.exit_code == 2 and "rows that cannot be drawn" in told.stderr
    assert not (tmp_path / "page.html").exists()


def test_a_file_of_the_hub_that_is_longer_than_listed_is_not_read_to_its_end(stepmill, on_hub, hub, tmp_path):
    repository = hub.state.repository(on_hub)
    changed = repository.at("v0.1.0").files | {"README.md": Blob(b"-" * 1_000_000, False)}
    repository.commits[1] = replace(repository.commits[1], files=changed)
    for arguments in (("pull", f"{on_hub}@v0.1.0", "--into", tmp_path / "here"), ("verify", f"{on_hub}@v0.1.0")):
        told = stepmill(*arguments)
        assert told.exit_code == 2
        assert re.search(r"README\.md: its size in bytes is more; it is at most \d+: do not use", told.stderr)


def test_a_manifest_of_the_hub_that_climbs_is_refused(stepmill, on_hub, hub, tmp_path):
    repository = hub.state.repository(on_hub)
    files = repository.at("v0.1.0").files
    manifest = json.loads(files["manifest.json"].content)
    manifest["files"][0]["path"] = "../../outside"
    changed = files | {"manifest.json": Blob(json.dumps(manifest).encode(), False)}
    repository.commits[1] = replace(repository.commits[1], files=changed)
    for command in ("verify", "show", "view"):
        told = stepmill(command, f"{on_hub}@v0.1.0")
        assert told.exit_code == 2 and "files[0].path is '../../outside'; a path has" in told.stderr
    assert list(tmp_path.iterdir()) == []
