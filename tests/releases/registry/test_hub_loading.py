"""Releases on the Hub as their readers meet them: the real `datasets.load_dataset`, and the card's own lines."""

import json
import re
import subprocess
import sys

from releases.registry.hub import HubRegistry
from tests.releases.conftest import labels_draft

READ = """
import json, sys
from datasets import load_dataset

told = {
    f"{tag} {config} {split}": rows.to_list()
    for tag in ("v0.1.0", "v0.2.0")
    for config in ("full", "default", "truncated")
    for split, rows in load_dataset("lab/process_labels", config, revision=tag).items()
}
streamed = load_dataset("lab/process_labels", "default", split="train", revision="v0.1.0", streaming=True)
told["streamed"] = list(streamed)
told["main"] = load_dataset("lab/process_labels", split="train").to_list()
json.dump(told, open(sys.argv[1], "w"))
"""


def test_two_versions_load_from_a_private_hub_after_the_second_is_published(
    hub, draft, table, facts, tmp_path, monkeypatch
):
    registry = HubRegistry("lab")
    other = labels_draft(table(*[([4, 2], [4, 4]), ([0, 0, 0], [4, 4, 4])] * 9), facts("second"))
    card = (registry.publish(draft).path / "README.md").read_text()
    registry.publish(other)
    lines = re.search(r"```python\n(.*?)```", card, re.DOTALL).group(1)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    command = [sys.executable, "-c", f"{lines}\n{READ}", str(tmp_path / "told.json")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Step 0." in done.stdout
    told = json.loads((tmp_path / "told.json").read_text())
    assert told.pop("streamed") == draft.tables["default"].splits["train"].to_dicts()
    assert told.pop("main") == other.tables["default"].splits["train"].to_dicts()
    assert told == {
        f"{tag} {config} {split}": frame.to_dicts()
        for tag, version in {"v0.1.0": draft, "v0.2.0": other}.items()
        for config, table in version.tables.items()
        for split, frame in table.splits.items()
    }
