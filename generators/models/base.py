"""The base model of a policy: which weights adapters are trained on and scores are computed with.

Knows nothing of adapters or servers.
"""

from pathlib import Path

from generators.engine.errors import EngineMisconfigured
from generators.engine.model_folder import file_digest
from generators.models.policy import SIMULATED, Policy, identify
from generators.training.base import Base
from generators.training.errors import NoWeights


def base_of(policy: Policy, *, weights: str | None = None) -> Base:
    """The base model of `policy`; `weights` is its folder or Hub id where the policy is known by its servers only.

    Raises NoWeights when there is nothing to load.
    """
    if weights is None and policy.model == SIMULATED:
        raise NoWeights("policy.model is 'simulated', which has no weights to train on: score its tokens otherwise")
    found = policy
    if weights is not None or not Path(policy.model).is_dir():
        try:
            found = identify(weights or policy.model, revision=None if weights else policy.revision)
        except EngineMisconfigured as missing:
            raise NoWeights(
                f"contrastive models need the weights of the policy {policy.name}, and {weights or policy.model!r} is "
                "neither a model folder nor a Hub id that this user may read: set weights to the folder or Hub id of "
                "what the servers serve"
            ) from missing
    return Base(
        name=found.name,
        model=found.model,
        revision=found.revision,
        tokenizer_sha256=file_digest(_file(found, "tokenizer.json")),
        vocabulary=_vocabulary(found),
    )


def _file(policy: Policy, name: str) -> Path:
    from transformers.utils import cached_file

    try:
        return Path(str(cached_file(policy.model, name, revision=policy.revision)))
    except OSError as missing:
        raise NoWeights(
            f"{policy.model} has no {name}: save its fast tokenizer beside the weights (save_pretrained does)"
        ) from missing


def _vocabulary(policy: Policy) -> int:
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(policy.model, revision=policy.revision)
    return int(config.get_text_config().vocab_size)
