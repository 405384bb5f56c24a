import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from generators.training.side_by_side import run_side_by_side


@dataclass(frozen=True)
class Noted:
    """A training that notes where it ran."""

    name: str
    folder: Path
    fails: bool = False

    def run(self, device, say):
        say(f"{self.name} begins")
        if self.fails:
            raise ValueError(f"{self.name} has no examples")
        (self.folder / self.name).write_text(f"{device} {os.getpid()}")
        say(f"{self.name} ends")


def test_each_training_has_a_device_and_a_process_of_its_own_and_one_that_fails_stops_no_other(tmp_path):
    heard = []
    trainings = [Noted("positive", tmp_path, fails=True), Noted("negative", tmp_path), Noted("third", tmp_path)]
    with pytest.raises(ValueError, match="positive has no examples"):
        run_side_by_side(trainings, ["cuda:0", "cuda:1", "cuda:2", "cuda:3"], heard.append)
    assert sorted(heard) == [
        "negative begins", "negative ends", "positive begins", "third begins", "third ends",
    ]  # fmt: skip
    ran = {path.name: path.read_text().split() for path in tmp_path.iterdir()}
    assert {name: device for name, (device, _) in ran.items()} == {"negative": "cuda:1", "third": "cuda:2"}
    assert len({process for _, process in ran.values()} | {str(os.getpid())}) == 3
