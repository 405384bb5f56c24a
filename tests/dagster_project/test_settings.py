import pytest

from dagster_project.resources.judge import JudgeResource
from dagster_project.settings.file import SettingsError, load_settings

SOURCE = '[[sources]]\nname = "a"\nkind = "file"\npath = "x.jsonl"\n'

BAD = [
    ("", "sources: Field required"),
    ("data_root = 1\n" + SOURCE, "data_root: Input should be a valid string, got 1"),
    ("[policy]\nin_flight = 0\n" + SOURCE, "policy.in_flight: Input should be greater than or equal to 1, got 0"),
    (SOURCE + "foo = 1", r"sources.0.*foo"),
    (
        '[[sources]]\nname = "a"\nkind = "zip"',
        "sources.0.kind: Input should be 'procedural', 'multi_step', 'laboratory', 'file', 'hub'",
    ),
    (SOURCE.replace("jsonl", "txt"), "path must end in one of .jsonl, .*, or be a folder, got '.*x.txt'"),
    (SOURCE + SOURCE, "sources must have different names, got a, a"),
    ("data_root = ", "is no TOML"),
    (SOURCE + "[releases.major]\npoems = 1", "releases.major: there is no dataset poems; there are process_labels"),
    (SOURCE + "[releases.major]\nprocess_labels = -1", "releases.major.process_labels: .* equal to 0, got -1"),
    ('[policy]\nurls = ["gpu:8000"]\n' + SOURCE, "policy.urls: url must be an http.* got 'gpu:8000'"),
    (
        '[judge]\nurls = ["gpu:8000"]\nmodel = "m"\n' + SOURCE,
        "judge.urls: url must be an http.* got 'gpu:8000'",
    ),
    ('[judge]\nurls = ["http://gpu"]\n' + SOURCE, "judge.model: model must name what is served at urls, got None"),
    ('[judge]\nmodel = "m"\n' + SOURCE, "judge.model: model must be left out where urls is empty.*, got 'm'"),
    ('[judge]\nrevision = "r"\n' + SOURCE, "judge.revision: revision must be left out where urls is empty"),
    (SOURCE + 'licence = "cc-by-nc-4.0"', r"licences of sources forbid .* a \(cc-by-nc-4.0: no commercial use\)"),
    (SOURCE + '[releases]\nlicences = "allow"', "releases.licences: Input should be 'refuse' or 'mark', got 'allow'"),
    ("[judge]\nvotes = 0\n" + SOURCE, "judge.votes: Input should be greater than or equal to 1, got 0"),
    ("[judge]\nvotes = 3\n" + SOURCE, "judge.votes: votes must be 1 at temperature 0, .* got 3"),
    ("[judge]\ntemperature = -1\n" + SOURCE, "judge.temperature: Input should be greater than or equal to 0, got -1"),
    ("[judge]\nmax_tokens = 0\n" + SOURCE, "judge.max_tokens: Input should be greater than or equal to 1, got 0"),
    ("[judge]\nvote = 1\n" + SOURCE, r"judge.vote: Extra inputs are not permitted; did you mean votes\?"),
    ('[policy]\nmodle = "m"\n' + SOURCE, r"policy.modle: Extra inputs are not permitted; did you mean model\?"),
    ("[attempts]\nmax_token = 9\n" + SOURCE, r"attempts.max_token: Extra .* permitted; did you mean max_tokens\?$"),
    ("polcy = 1\n" + SOURCE, r"polcy: Extra inputs are not permitted; did you mean policy\?"),
    (SOURCE + "shard = 2", r"sources.0.shard: Unexpected keyword argument; did you mean shards\?$"),
    (SOURCE + "pathh = 2", r"sources.0.pathh: Unexpected keyword argument; did you mean path\?$"),
    (SOURCE + 'columns = {promt = "x"}', r"sources.0.columns.promt: Unexpected .*; did you mean prompt\?$"),
    (SOURCE + "[[evaluation_sets]]\nname = 'b'\nkind = 'hub'\ndataset = 'd'\nmtch = 'near'", r"did you mean match\?$"),
    (SOURCE + "[columns]\nprompt = 'x'", "columns: Extra inputs are not permitted$"),
    ("sources = [3]", "sources.0: Input should be .* got 3"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_settings_file_is_named_with_field_bound_and_value(tmp_path, text, message):
    file = tmp_path / "stepmill.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=message) as raised:
        load_settings(file)
    assert str(file) in str(raised.value)


def test_a_missing_settings_file_is_named_with_the_variable_that_points_at_it(tmp_path):
    with pytest.raises(SettingsError, match="point STEPMILL_SETTINGS at a file"):
        load_settings(tmp_path / "nowhere.toml")


def test_a_relative_data_root_is_relative_to_the_file(tmp_path):
    file = tmp_path / "stepmill.toml"
    file.write_text(SOURCE)
    assert load_settings(file).data_root == str(tmp_path / "data")


def test_relative_paths_of_problem_files_and_models_are_relative_to_the_file(tmp_path):
    sets = SOURCE.replace("sources", "evaluation_sets").replace('"x.jsonl"', '"s3://bucket/y.jsonl"')
    (tmp_path / "stepmill.toml").write_text('[policy]\nmodel = "./m"\n' + SOURCE + sets)
    settings = load_settings(tmp_path / "stepmill.toml")
    assert settings.policy.model == str(tmp_path / "m")
    assert settings.sources[0].problems.path == str(tmp_path / "x.jsonl")
    assert settings.evaluation_sets[0].problems.path == "s3://bucket/y.jsonl"


def test_an_object_stores_url_is_left_alone(tmp_path):
    file = tmp_path / "stepmill.toml"
    file.write_text('data_root = "s3://bucket/root"\n' + SOURCE)
    assert load_settings(file).data_root == "s3://bucket/root"


def test_a_language_must_be_one_that_can_be_told(tmp_path):
    file = tmp_path / "stepmill.toml"
    file.write_text(SOURCE + 'language = "xx"')
    with pytest.raises(SettingsError, match=r"sources\.0\.language: language must be one of .*, got 'xx'"):
        load_settings(file)
    file.write_text(SOURCE + 'language = "de"')
    settings = load_settings(file)
    assert settings.quality.prompt_bounds(settings.sources[0]).language == "de"


def test_there_is_a_judge_where_the_section_is(tmp_path):
    file = tmp_path / "stepmill.toml"
    file.write_text(SOURCE)
    assert load_settings(file).judge is None
    file.write_text("[judge]\n" + SOURCE)
    assert load_settings(file).judge.urls == []
    file.write_text('[judge]\nurls = ["http://gpu"]\nmodel = "m"\ntemperature = 0.6\nvotes = 3\n' + SOURCE)
    sampling = JudgeResource(settings=load_settings(file).judge).sampling
    assert (sampling.votes, sampling.temperature) == (3, 0.6)


def test_quality_has_bounds(tmp_path):
    file = tmp_path / "stepmill.toml"
    file.write_text(SOURCE + "[quality]\nlongest_prompt = 0")
    with pytest.raises(
        SettingsError, match=r"quality\.longest_prompt: Input should be greater than or equal to 1, got 0"
    ):
        load_settings(file)
    file.write_text(SOURCE + "[quality]\nnear_duplicates = 0.9")
    assert load_settings(file).quality.near_duplicates == 0.9


def test_a_source_that_forbids_commercial_use_is_taken_where_it_is_to_be_marked(tmp_path):
    file = tmp_path / "stepmill.toml"
    file.write_text(SOURCE + 'licence = "cc-by-nc-4.0"\n[releases]\nlicences = "mark"')
    assert load_settings(file).releases.licences == "mark"


@pytest.mark.parametrize(
    ("dataset", "named"), [("lab/sums", "lab/sums"), ("gsm8k", "gsm8k"), ("./sums", None), ("/data/sums", None)]
)
def test_a_hub_source_names_its_dataset_but_no_folder(tmp_path, dataset, named):
    file = tmp_path / "stepmill.toml"
    columns = 'columns = { prompt = "q", answer = "a", answer_format = "plain" }'
    file.write_text(f'[[sources]]\nname = "h"\nkind = "hub"\ndataset = "{dataset}"\n{columns}\n' + SOURCE)
    by_name = {source.name: source.hub_dataset for source in load_settings(file).sources}
    assert by_name.pop("h") == named
    assert set(by_name.values()) == {None}
