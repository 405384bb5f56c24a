"""Contrastive estimation (arXiv 2411.19943, section 3.2): is a token more likely in right or in wrong solutions?

The score of a token is its probability under softmax((1 + beta) * positive - beta * negative) of two models' logits. A
low score nominates a critical token. The log ratio of a token is its log-probability under the positive model less that
under the negative one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from generators.critical_token_pairs.contrastive_scores import ContrastiveScores
from generators.critical_token_pairs.settings import Settings
from generators.critical_token_pairs.stored_scores import StoredScores
from generators.training.adapter_folder import read_origin
from generators.training.base import Base, Dtype
from generators.training.contrastive_models import SIDES, ContrastiveModels

VERSION = "3"  # bump when a change here would change the scores

Progress = Callable[[int, int], None]
_BUFFERS = 4  # in memory at once for a chunk: logits, their differences, and the copies that logsumexp makes of either
_BYTES = 4


class TokenScorer(Protocol):
    """Scores the tokens of sequences; a policy without weights has a scorer of its own."""

    def score(self, sequences: Sequence[Sequence[int]], folds: Sequence[int], *, progress: Progress) -> StoredScores:
        """Scores in the order of `sequences`, each by the models that learnt from its fold in `folds`.

        `progress` gets the number of scored tokens and of all tokens.
        """
        ...


class ContrastiveScorer:
    """One base model in memory with the adapters of all folds on it; raises AdapterRefused if one is of another base.

    `models` has the two adapters by the fold that they learnt from. A batch has at most `settings.batch_tokens` tokens
    with its padding, or one sequence. Logits take at most `logits_mib`, or the memory of one position. In `float32` a
    score equals that of a single forward pass to 1e-3; `bfloat16` halves the memory and is coarser.
    """

    def __init__(
        self,
        base: Base,
        models: Mapping[int, ContrastiveModels],
        settings: Settings,
        *,
        dtype: Dtype = "float32",
        logits_mib: int = 256,
        device: str | None = None,
    ) -> None:
        import torch
        from peft import PeftModel

        folders = {
            _adapter(fold, side): folder
            for fold, of_fold in models.items()
            for side, folder in zip(SIDES, (of_fold.positive, of_fold.negative), strict=True)
        }
        if not folders:
            raise ValueError("models must have the adapters of at least one fold, got none")
        for folder in folders.values():
            read_origin(folder, base)
        self._base, self._settings = base, settings
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        model = base.load(dtype=dtype, device=self._device)
        first = next(iter(folders))
        self._adapted = PeftModel(model, _config(folders[first]), adapter_name=first)
        for name, folder in folders.items():
            self._adapted.load_adapter(str(folder), adapter_name=name, torch_device=self._device)
        self._folds = tuple(models)
        self._model = model.eval()
        positions = logits_mib * 2**20 // (base.vocabulary * _BYTES * _BUFFERS)
        self._positions = max(1, positions)

    def score(self, sequences: Sequence[Sequence[int]], folds: Sequence[int], *, progress: Progress) -> StoredScores:
        """Scores in the order of `sequences`, each by the models that learnt from its fold in `folds`.

        `progress` gets the number of scored tokens and of all tokens.
        """
        self._check(sequences, folds)
        scores = StoredScores(len(sequences))
        done, total = 0, sum(map(len, sequences))
        for fold in self._folds:
            of_fold = [index for index, by in enumerate(folds) if by == fold]
            lengths = [len(sequences[index]) for index in of_fold]
            for places in batches_by_length(lengths, tokens=self._settings.batch_tokens):
                indices = [of_fold[place] for place in places]
                batch = [tuple(sequences[index]) for index in indices]
                for index, found in zip(indices, self._score_batch(batch, fold), strict=True):
                    scores.add(index, found)
                done += sum(map(len, batch))
                progress(done, total)
        return scores

    def _check(self, sequences: Sequence[Sequence[int]], folds: Sequence[int]) -> None:
        if len(folds) != len(sequences):
            raise ValueError(f"folds must have one fold for each of {len(sequences)} sequences, got {len(folds)}")
        unknown = sorted(set(folds) - set(self._folds))
        if unknown:
            raise ValueError(f"folds must be among those with models ({list(self._folds)}), got {unknown}")
        vocabulary = self._base.vocabulary
        for index, ids in enumerate(sequences):
            if not ids:
                raise ValueError(f"sequences[{index}] must hold at least 1 token id, got none")
            outside = next((token_id for token_id in ids if not 0 <= token_id < vocabulary), None)
            if outside is not None:
                raise ValueError(
                    f"sequences[{index}] holds the token id {outside}, and {self._base.name} knows {vocabulary}: it "
                    "was made with another tokenizer"
                )

    def _score_batch(self, batch: Sequence[Sequence[int]], fold: int) -> list[ContrastiveScores]:
        """Pad on the right, so that causal attention never sees the padding."""
        import torch

        shared = max(0, shared_beginning(batch) - 1)  # each sequence's own part begins with the last common token
        own = [sequence[shared:] for sequence in batch]
        longest = max(map(len, own))
        ids = torch.tensor([[*rest, *[0] * (longest - len(rest))] for rest in own], device=self._device)
        lengths = torch.tensor([[len(rest)] for rest in own], device=self._device)
        followed = torch.arange(1, longest, device=self._device) < lengths  # positions whose next token is scored
        beginning = torch.tensor(batch[0][: shared + 1], device=self._device)
        with torch.inference_mode():
            positive, negative = (self._states(_adapter(fold, side), beginning[:-1], ids) for side in SIDES)
            common = self._contrast(positive[0], negative[0], beginning[1:])
            own_positive, own_negative = (states[1][:, :-1][followed] for states in (positive, negative))
            pairs = iter(self._contrast(own_positive, own_negative, ids[:, 1:][followed]))
        return [_joined([*common, *(next(pairs) for _ in rest[1:])]) for rest in own]

    def _states(self, adapter: str, shared: Any, own: Any) -> tuple[Any, Any]:
        """The states of the common beginning, which passes through the model once, and of each sequence's own part."""
        self._adapted.set_adapter(adapter)
        if not len(shared):
            states = self._model.base_model(input_ids=own, use_cache=False).last_hidden_state.float()
            return states[0, :0], states
        beginning = self._model.base_model(input_ids=shared[None], use_cache=True)
        cache = beginning.past_key_values
        cache.batch_repeat_interleave(len(own))
        own_states = self._model.base_model(input_ids=own, past_key_values=cache).last_hidden_state
        return beginning.last_hidden_state[0].float(), own_states.float()

    def _contrast(self, positive: Any, negative: Any, token_ids: Any) -> list[tuple[float, float]]:
        """The score and the log ratio of each token by the two models' states before it.

        The head is linear and common to both models: their logits differ by the head's image of the states' difference,
        which a coarse type holds better than the difference of two large logits.
        """
        from torch.nn.functional import linear

        head, beta = self._model.get_output_embeddings(), self._settings.beta
        found: list[tuple[float, float]] = []
        chunks = (states.split(self._positions) for states in (positive, positive - negative, token_ids))
        for states, difference, ids in zip(*chunks, strict=True):
            logits = head(states.to(head.weight.dtype)).float()
            gaps = linear(difference.to(head.weight.dtype), head.weight).float()
            gap, total = gaps.gather(1, ids[:, None])[:, 0], logits.logsumexp(1)
            logits.add_(gaps, alpha=beta)  # (1 + beta) * positive - beta * negative
            scores = (logits.gather(1, ids[:, None])[:, 0] - logits.logsumexp(1)).clamp(max=0.0).double().exp()
            logits.sub_(gaps, alpha=1 + beta)  # negative
            ratios = gap - total + logits.logsumexp(1)
            found += zip(scores.tolist(), ratios.double().tolist(), strict=True)
        return found


def _joined(pairs: Sequence[tuple[float, float]]) -> ContrastiveScores:
    return ContrastiveScores((None, *(score for score, _ in pairs)), (None, *(ratio for _, ratio in pairs)))


def _adapter(fold: int, side: str) -> str:
    return f"{side}_{fold}"


def shared_beginning(sequences: Sequence[Sequence[int]]) -> int:
    """The length of the longest common prefix."""
    columns = zip(*sequences, strict=False)
    shortest = min(map(len, sequences))
    return next((position for position, column in enumerate(columns) if len(set(column)) > 1), shortest)


def batches_by_length(lengths: Sequence[int], *, tokens: int) -> list[list[int]]:
    """Indices of sequences, the longest first, in batches of at most `tokens` padded tokens, or of one sequence."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: lengths[index], reverse=True):
        if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= tokens:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def _config(folder: Any) -> Any:
    from peft import PeftConfig

    return PeftConfig.from_pretrained(str(folder))
