"""The warmed-up policy: the embedded policy, fine-tuned to solve multi-step problems, some of them wrongly.

`make policy` builds it once and keeps it under a key of everything that went into it. It learns from the training part
of `multi_step`; the problems that it is given must come from the evaluation part.
"""

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from generators.engine.embedded import embedded_model
from generators.engine.errors import EngineMisconfigured
from generators.engine.model_folder import MANIFEST, check_folder, make_once, models_folder
from generators.engine.tokenizer import HFTokenizer
from generators.problems.multi_step import MultiStepProblems
from generators.training.examples import example
from generators.training.fine_tune import fine_tune
from generators.training.settings import TrainingSettings

VERSION = "2"  # bump when a change here, in the problems or in the fine-tuning would change the weights


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """The problems that the policy learns from, and the training settings."""

    problems: MultiStepProblems = field(
        default_factory=lambda: MultiStepProblems(name="multi_step", part="training", size=560, max_term=10, seed=1)
    )
    training: TrainingSettings = field(default_factory=lambda: TrainingSettings(batch_size=2, learning_rate=5e-4))


def warmed_up_model(cache: Path | None = None, warm_up: WarmUp | None = None) -> Path:
    """The folder of the warmed-up policy; raises EngineMisconfigured if it has not been built."""
    folder = _folder(embedded_model(cache), cache, warm_up or WarmUp())
    if not folder.exists():
        raise EngineMisconfigured("policy.model is 'warmed_up', which has not been built yet: run `make policy`")
    check_folder(folder)
    return folder


def make_warmed_up(say: Callable[[str], None], cache: Path | None = None, warm_up: WarmUp | None = None) -> Path:
    """Build the warmed-up policy if it is missing; an interrupted call resumes where it stopped."""
    warm_up = warm_up or WarmUp()
    base = embedded_model(cache)
    folder = _folder(base, cache, warm_up)
    if not folder.exists():
        tokenizer = HFTokenizer(base)
        examples = [example(problem.prompt, problem.solution, tokenizer) for problem in warm_up.problems.worked()]
        checkpoint = folder.parent / f".{folder.name}.checkpoint"

        def make(into: Path) -> None:
            fine_tune(base, examples, warm_up.training, into=into, checkpoint=checkpoint, say=say)

        make_once(folder, make, version=VERSION)
    check_folder(folder)
    return folder


def _folder(base: Path, cache: Path | None, warm_up: WarmUp) -> Path:
    weights = json.loads((base / MANIFEST).read_text())["sha256"]
    content = json.dumps([VERSION, weights, asdict(warm_up)], sort_keys=True)
    key = hashlib.sha256(content.encode()).hexdigest()[:12]
    return models_folder(cache) / f"SmolLM2-135M-multi-step-{key}"


if __name__ == "__main__":
    print(make_warmed_up(lambda line: print(line, file=sys.stderr, flush=True)))
