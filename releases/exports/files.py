"""The files beside the rows: settings as YAML, a command of several lines, and the rule that scores an answer."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import yaml

REWARD = "reward.py"
SETTINGS = "train.yaml"
REWARD_NOTE = f"`{REWARD}` scores the answers. It needs the package math-verify."
OUTPUT = "trained"  # the folder that a trainer writes, beside the rows


def as_yaml(settings: Mapping[str, Any]) -> str:
    """Settings as YAML, in their order."""
    copied = json.loads(json.dumps(settings))  # YAML would only refer to a value that occurs twice
    return str(yaml.safe_dump(copied, sort_keys=False, allow_unicode=True))


def in_lines(program: str, *arguments: str) -> str:
    """A command with one argument on each line."""
    return " \\\n    ".join((program, *arguments))


def reward_file() -> dict[str, str]:
    """The file that scores an answer, as trainers import it."""
    return {REWARD: (files("releases.exports") / REWARD).read_text()}
