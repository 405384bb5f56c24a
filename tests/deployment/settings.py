"""Settings over attached simulated servers, as a deployment has them, of a size that is made in seconds."""

from tests.dagster_project.conftest import LENIENT

SETTINGS = (
    """
data_root = "{data_root}"

[rounds]
cron = "{cron}"
look_s = 30

[policy]
model = "simulated"
urls = ["{url}"]
in_flight = 16
stall_s = 10
give_up_s = 15

[[sources]]
kind = "simulated"
name = "sums"
size = {size}
shards = {shards}
min_steps = 3
max_steps = 5

[attempts]
n = 4
max_tokens = 400

[process_labels]
cap = 16
pilot = 4
audit = 4

[step_preference_pairs]
pairs_per_error = 1
cap = 8

[contrastive_models]
folder = "{adapters}"

[critical_token_pairs]
search_cap = 8
cap = 8
budget = 16

[long_cot_traces]
n = 4
examples = "short"
max_tokens = 400
"""
    + LENIENT
)


def write_settings(folder, url, *, size=12, shards=1, data_root="data", cron="0 3 * * 0"):
    """The settings file in `folder`; gives its path."""
    file = folder / "stepmill.toml"
    adapters = folder / "adapters"
    text = SETTINGS.format(url=url, size=size, shards=shards, data_root=data_root, adapters=adapters, cron=cron)
    file.write_text(text)
    return file
