"""Resolve the base model of a policy: the weights that adapters are trained on and scores are computed with."""

from pathlib import Path

from generators.engine.errors import EngineMisconfigured
from generators.engine.model_folder import file_digest
from generators.models.policy import SIMULATED, Policy, identify
from generators.training.base import Base
from generators.training.errors import NoWeights


def base_of(policy: Policy, *, weights: str | None = None) -> Base:
    """The base model of `policy`; `weights` is its folder or Hub id if only the policy's servers are known.

    Raises NoWeights if there is nothing to load.
    """
    if weights is None and policy.model == SIMULATED:
        raise NoWeights("policy.model is 'simulated', which has no weights to train on: score its tokens otherwise")
    loadable = policy
    if weights is not None or not Path(policy.model).is_dir():
        try:
            loadable = identify(weights or policy.model, revision=None if weights else policy.revision)
        except EngineMisconfigured as error:
            raise NoWeights(
                f"contrastive models need the weights of the policy {policy.name}, and {weights or policy.model!r} is "
                "neither a model folder nor a Hub id that this user may read: set weights to the folder or Hub id of "
                "what the servers serve"
            ) from error
    return Base(
        name=loadable.name,
        model=loadable.model,
        revision=loadable.revision,
        tokenizer_sha256=file_digest(_file(loadable, "tokenizer.json")),
        vocabulary=_vocabulary(loadable),
    )


def _file(policy: Policy, name: str) -> Path:
    from transformers.utils import cached_file

    try:
        return Path(str(cached_file(policy.model, name, revision=policy.revision)))
    except OSError as error:
        raise NoWeights(
            f"{policy.model} has no {name}: save its fast tokenizer beside the weights (save_pretrained does)"
        ) from error


def _vocabulary(policy: Policy) -> int:
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(policy.model, revision=policy.revision)
    return int(config.get_text_config().vocab_size)
