"""A loop over a tiny real policy, whose weights are trained, and an engine that writes what a script says in its place.

Each training makes the script surer of every step, so the loop has something to gain.
"""

import asyncio
import json
import random
import re
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.policies.looping import LoopMaker, exit_code
from dagster_project.policies.position import Due
from dagster_project.resources.policy import PolicyResource
from dagster_project.running.listener import NOBODY
from dagster_project.runs import log_of
from dagster_project.settings.file import load_settings
from generators.engine.protocol import Completion, Generation, Request, Usage
from generators.engine.tokenizer import HFTokenizer
from generators.models.policy_card import read_card
from tests.dagster_project.conftest import LENIENT
from tests.examples.conftest import WORDS, character_tokenizer
from tests.tiny_policy import tiny_policy

STEP_RIGHT = (0.6, 0.75, 0.9)  # by how many trainings a policy has had
SETTINGS = (
    """
data_root = "data"

[policy]
model = "./base"
in_flight = 16

[[sources]]
kind = "file"
name = "sums"
path = "problems.jsonl"
columns = { prompt = "question", answer = "answer", answer_format = "plain" }
licence = "mit"

[[evaluation_sets]]
kind = "file"
name = "held_out"
path = "held_out.jsonl"
columns = { prompt = "question", answer = "answer", answer_format = "plain" }
match = "verbatim"

[attempts]
n = 4
max_tokens = 60

[process_labels]
cap = 8
audit = 0
held_out = 0.0

[step_preference_pairs]
cap = 8
min_margin = 0.05

[loop]
rounds = 2
patience = 9
start_from = "previous"

[loop.evaluation]
samples = 8
k = 4

[[loop.training]]
dataset = "attempts"
learning_rate = 1e-3
steps = 6
save_every = 2

[[loop.training]]
dataset = "step_preference_pairs"
learning_rate = 1e-4
steps = 4
save_every = 2
likelihood = 0.1
"""
    + LENIENT
)

ONLY_ATTEMPTS = (('dataset = "step_preference_pairs"', 'dataset = "attempts"'),)


class Crash(Exception):
    """What a test raises in place of a crash."""


class ScriptedSums:
    """Goes on with a solution of a sum, line by line; every line is right with a probability that the policy has."""

    max_model_len = 2048

    def __init__(self, model: str, drawn: Counter, crash) -> None:
        folder = Path(model)
        card = read_card(folder)
        self._right = STEP_RIGHT[min(2, 0 if card is None else int(card.round.rpartition("-")[2]))]
        self._tokenizer = HFTokenizer(folder)
        self._drawn, self._crash = drawn, crash
        self._name = folder.name

    async def generate(self, request: Request) -> Generation:
        await asyncio.sleep(0)
        text = self._tokenizer.decode(request.prefix)
        self._crash(self._name, text)
        self._drawn[self._name, request.seed] += 1
        ids = (*self._tokenizer.encode(self._rest(text, random.Random(request.seed))), self._tokenizer.end_of_turn)
        kept = ids[: request.limits.max_tokens]
        for stop in request.limits.stop:
            while stop in self._tokenizer.decode(kept[:-1]):
                kept = kept[:-1]
        reason = "eos" if len(kept) == len(ids) else "stop" if request.limits.stop else "length"
        completion = Completion(token_ids=kept, text=self._tokenizer.decode(kept), finish_reason=reason)
        return Generation(completions=(completion,), usage=Usage(prompt=len(request.prefix), generated=len(kept)))

    def _rest(self, text: str, draw: random.Random) -> str:
        *_, (start, added) = re.findall(r"Start with (\d+)\.((?: Add \d+\.)+)", text)
        terms = [int(term) for term in re.findall(r"\d+", added)]
        done = re.findall(r"Now (\d+)\n", text.rpartition("Start with")[2])
        value = int(done[-1] if done else start)
        lines = []
        for term in terms[len(done) :]:
            value += term + (0 if draw.random() < self._right else 1)
            lines.append(f"Now {value}\n")
        return "".join(lines) + f"So \\boxed{{{value}}}"


def problems(folder: Path, name: str, n: int, *, first: str, seed: int) -> None:
    draw = random.Random(seed)
    lines = []
    for _ in range(n):
        start, *terms = (draw.randint(2, 99) for _ in range(3))
        prompt = f"{first} Start with {start}." + "".join(f" Add {term}." for term in terms)
        lines.append(json.dumps({"question": prompt, "answer": str(start + sum(terms))}))
    (folder / name).write_text("\n".join(lines) + "\n")


class LoopWorld:
    """A folder with a policy and settings of a loop; `run` makes the loop until it ends or something crashes."""

    def __init__(self, folder: Path, monkeypatch, *changes) -> None:
        folder.mkdir()
        character_tokenizer(tiny_policy(folder / "base", vocabulary=len(WORDS)))
        problems(folder, "problems.jsonl", 24, first="A sum.", seed=1)
        problems(folder, "held_out.jsonl", 12, first="Held out.", seed=2)
        self.folder, self.drawn, self.crash = folder, Counter(), lambda policy, prefix: None
        self.write(*changes)

        async def engine(resource, stack, say):
            scripted = ScriptedSums(resource.settings.model, self.drawn, lambda *seen: self.crash(*seen))
            return scripted, scripted.max_model_len

        monkeypatch.setattr(PolicyResource, "_engine", engine)

    def write(self, *changes) -> None:
        text = SETTINGS
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (self.folder / "stepmill.toml").write_text(text)
        self.settings = load_settings(self.folder / "stepmill.toml")

    @property
    def root(self) -> Path:
        return self.folder / "data"

    def run(self, instance=None):
        """The results of the rounds that were made, and where the loop stands then."""
        if instance is None:
            with dg.DagsterInstance.ephemeral() as own:
                return self.run(own)
        maker = LoopMaker(settings=self.settings, instance=instance)
        results = []
        while (where := maker.position()).due is not Due.NOTHING:
            record = maker.opened(where)
            results.append(maker.make(record, NOBODY, log=log_of(self.settings, record.round)))
            if exit_code(results[-1], after := maker.position()):
                return results, after
        return results, where


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """A world whose loop was made in one go."""
    with pytest.MonkeyPatch.context() as patched:
        made = LoopWorld(tmp_path_factory.mktemp("loop") / "uninterrupted", patched)
        made.run()
        return made


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Makes a world of a loop under changed settings."""

    def make(*changes, name="world"):
        return LoopWorld(tmp_path / name, monkeypatch, *changes)

    return make
