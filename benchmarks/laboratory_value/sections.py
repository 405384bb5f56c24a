"""The settings of the laboratory's rounds: those of `benchmarks/laboratory.toml`, stage by stage."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from dagster_project.settings.file import load_settings
from generators.attempts.settings import Settings as Attempts
from generators.datasets import STAGES
from generators.problems.settings import Source
from generators.section import Section

PATH = Path(__file__).parent.parent / "laboratory.toml"
_NOT_MADE = "problems"  # the benchmark brings its own


@cache
def sections() -> Mapping[str, Section]:
    """The settings of every stage, in the order in which they are made."""
    settings = load_settings(PATH)
    return {stage.name: settings.of(stage) for stage in STAGES if stage.name != _NOT_MADE}


@cache
def source() -> Source:
    """How problems are asked and their answers read; the same for all tasks."""
    return load_settings(PATH).sources[0]


def max_tokens() -> int:
    """The tokens of an attempt at most."""
    of_attempts = sections()["attempts"]
    assert isinstance(of_attempts, Attempts)
    return of_attempts.max_tokens
