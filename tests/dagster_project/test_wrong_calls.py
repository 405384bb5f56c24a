"""Every wrong call of `stepmill` ends in one sentence and exit code 2, and leaves nothing half made."""

from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.resources.store import Store
from tests.dagster_project.conftest import SETTINGS

REAL = """
data_root = "data"
[policy]
model = "{model}"
{policy}
[[sources]]
name = "mine"
kind = "file"
path = "{path}"
columns = {{ prompt = "question", answer = "answer", answer_format = "plain" }}
licence = "mit"
{more}
"""


def real_settings(path="problems.jsonl", *, model="embedded", policy="", more=""):
    return REAL.format(path=path, model=model, policy=policy, more=more)


FILES = {
    "good.toml": SETTINGS.format(policy=""),
    "broken.toml": "data_root = ",
    "near.toml": real_settings(more="[attempts]\nmax_token = 80\n"),
    "bound.toml": real_settings(more="[attempts]\nn = 0\n"),
    "sourceless.toml": 'data_root = "data"\n',
    "real.toml": real_settings(),
    "no_file.toml": real_settings("nothing.jsonl"),
    "no_column.toml": real_settings("other_columns.jsonl"),
    "simulated.toml": real_settings(model="simulated"),
    "no_model.toml": real_settings(model="./no_model"),
    "long_examples.toml": real_settings(more='[long_cot_traces]\nexamples = "general"\n'),
    "long_context.toml": real_settings(policy="max_model_len = 65536"),
    "long_answers.toml": real_settings(more="[attempts]\nmax_tokens = 4000\n"),
    "no_server.toml": real_settings(policy='urls = ["http://127.0.0.1:9"]'),
    "forbidden.toml": real_settings().replace('"mit"', '"cc-by-nc-4.0"'),
    "problems.jsonl": "".join(f'{{"question": "What is {n} + 1?", "answer": "{n + 1}"}}\n' for n in range(10)),
    "other_columns.jsonl": '{"q": "What is 1 + 1?", "a": "2"}\n',
    "empty.jsonl": "",
    "not.json.jsonl": "{question",
    "problems.pdf": "%PDF",
    "mine.html": "<p>mine</p>",
}

# What is typed after `stepmill`, and what the sentence must say.
CALLS = [
    ("verfy {release}", "Did you mean 'verify'"),
    ("compact --settings {here}/broken.toml", "broken.toml"),
    ("compact --settings {here}/good.toml --round nothing", "no ledger"),
    ("verify {here}/nothing", "nothing"),
    ("verify {release} --version v9.9.9", "v9.9.9"),
    ("verify {here}", "there is no dataset here"),
    ("verify {root}/process_label --version v0.1.0", "process_labels"),
    ("verify lab/process_labels --version v0.1.0", "Hub"),
    ("verify hf://datasets/lab/process_labels@v0.1.0", "Hub"),
    ("diff {release} {here}/nothing", "nothing"),
    ("show {release} --config typo", "full"),
    ("show {release} --columns tpyo", "there is no column tpyo"),
    ("show {release} --rows 0", "--rows"),
    ("pull process_label --version v0.1.0 --from {root} --into {here}/pulled", "process_labels"),
    ("pull {release} --into {here}/mine.html", "mine.html"),
    ("view {release} --out {here}/mine.html", "mine.html"),
    ("view {release} --config typo", "full"),
    ("export {release} --to tlr", "trl"),
    ("export {release} --to verl --out {here}/exported", "verl"),
    ("export {release} --to axolotl --config typo --out {here}/exported", "typo"),
    ("plan --settings {here}/nothing.toml", "cannot be read"),
    ("plan --settings {here}/good.toml", "has no past round"),
    ("plan --settings {here}/broken.toml", "is no TOML"),
    ("init {here}/nothing.jsonl", "nothing.jsonl"),
    ("init {here}/empty.jsonl --out {here}/new.toml", "empty.jsonl"),
    ("init {here}/not.json.jsonl --out {here}/new.toml", "not.json.jsonl"),
    ("init {here}/problems.pdf --out {here}/new.toml", "problems.pdf"),
    ("init {here}/problems.jsonl --out {here}/good.toml", "--force"),
    ("init {here}/problems.jsonl --prompt qestion --out {here}/new.toml", "question"),
    ("init {here}/problems.jsonl --model ./no_model --out {here}/new.toml", "no_model"),
    ("init lab/problems --out {here}/new.toml", "Hub"),
    ("check --settings {here}/near.toml", "did you mean max_tokens"),
    ("check --settings {here}/bound.toml", "attempts.n"),
    ("check --settings {here}/sourceless.toml", "sources"),
    ("check --settings {here}/no_file.toml", "nothing.jsonl"),
    ("check --settings {here}/no_column.toml", "question"),
    ("check --settings {here}/simulated.toml", "simulated"),
    ("check --settings {here}/no_model.toml", "no_model"),
    ("check --settings {here}/long_examples.toml", "examples"),
    ("check --settings {here}/long_context.toml", "max_model_len"),
    ("check --settings {here}/long_answers.toml", "max_tokens"),
    ("check --settings {here}/no_server.toml", "127.0.0.1:9"),
    ("check --settings {here}/forbidden.toml", "cc-by-nc-4.0"),
    ("preview --settings {here}/nothing.toml", "cannot be read"),
    ("preview --settings {here}/real.toml --n 0", "--n"),
    ("preview --settings {here}/real.toml --only process_label", "process_labels"),
    ("run --settings {here}/nothing.toml", "cannot be read"),
    ("run --settings {here}/good.toml --only process_label", "process_labels"),
    ("run --settings {here}/good.toml --slice sums-9", "sums-0"),
    ("run --settings {here}/good.toml --round a/b", "a/b"),
    ("run --settings {here}/long_examples.toml --round r", "examples"),
    ("run --settings {here}/no_model.toml --round r", "no_model"),
    ("loop --settings {here}/nothing.toml", "cannot be read"),
    ("loop --settings {here}/good.toml", "[loop]"),
    ("loop --settings {here}/good.toml --rounds 0", "--rounds"),
    ("rounds --settings {here}/nothing.toml", "cannot be read"),
    ("releases --settings {here}/broken.toml", "is no TOML"),
    ("status --settings {here}/good.toml --round typo", "typo"),
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with settings and problems; Dagster's instance lies in another one, and no Hub answers."""
    folder = tmp_path / "here"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    return folder


def files_under(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def made(paths):
    """The files without the log of a run, which says what went wrong."""
    return {name: content for name, content in paths.items() if not name.startswith("data/logs/")}


@pytest.mark.parametrize(("call", "word"), CALLS, ids=[call for call, _ in CALLS])
def test_a_wrong_call_is_one_sentence_and_leaves_nothing_half_made(call, word, here, world):
    root = Store(data_root=world.settings.data_root).releases
    arguments = call.format(here=here, root=root, release=root / "process_labels" / "v0.1.0").split()
    before = files_under(here)
    told = CliRunner().invoke(app, arguments, env={"COLUMNS": "500"})
    assert (told.exit_code, word in told.output) == (2, True), told.output
    assert "Traceback" not in told.output
    assert made(files_under(here)) == before


def test_the_table_has_every_command():
    commands = {call.split()[0] for call, _ in CALLS}
    assert commands > set(get_command(app).commands)
