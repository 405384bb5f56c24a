"""Contrastive estimation (arXiv 2411.19943, section 3.2): is a token more likely in right or in wrong solutions?

The score of a token is its probability under softmax((1 + beta) * positive - beta * negative) of two models' logits. A
low score nominates a critical token.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from generators.critical_token_pairs.settings import Settings
from generators.training.adapter_folder import read_origin
from generators.training.base import Base, Dtype
from generators.training.contrastive_models import SIDES, ContrastiveModels

VERSION = "2"  # bump when a change here would change the scores

Progress = Callable[[int, int], None]
_BUFFERS = 3  # in memory at once for a chunk: the logits, and the copies that logsumexp makes of them
_BYTES = 4


@dataclass(frozen=True, slots=True)
class ContrastiveScores:
    """A score for each token of a prompt with its response; None for the first, which follows nothing."""

    scores: tuple[float | None, ...]

    def __post_init__(self) -> None:
        if not self.scores or self.scores[0] is not None or None in self.scores[1:]:
            raise ValueError(f"scores must be None for the first token and for no other, got {self.scores}")


class TokenScorer(Protocol):
    """Scores the tokens of sequences; a policy without weights has a scorer of its own."""

    def score(self, sequences: Sequence[Sequence[int]], *, progress: Progress) -> list[ContrastiveScores]:
        """Scores in the order of `sequences`; `progress` gets the number of scored tokens and of all tokens."""
        ...


class ContrastiveScorer:
    """One base model in memory with both adapters on it; raises AdapterRefused if they do not belong together.

    A batch has at most `settings.batch_tokens` tokens with its padding, or one sequence. Logits take at most
    `logits_mib`, or the memory of one position. In `float32` a score equals that of a single forward pass to 1e-3;
    `bfloat16` halves the memory and is coarser.
    """

    def __init__(
        self,
        base: Base,
        models: ContrastiveModels,
        settings: Settings,
        *,
        dtype: Dtype = "float32",
        logits_mib: int = 256,
        device: str | None = None,
    ) -> None:
        import torch
        from peft import PeftModel

        folders = dict(zip(SIDES, (models.positive, models.negative), strict=True))
        for folder in folders.values():
            read_origin(folder, base)
        self._base, self._settings = base, settings
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        model = base.load(dtype=dtype, device=self._device)
        self._adapted = PeftModel(model, _config(folders["positive"]), adapter_name="positive")
        for side, folder in folders.items():
            self._adapted.load_adapter(str(folder), adapter_name=side, torch_device=self._device)
        self._model = model.eval()
        positions = logits_mib * 2**20 // (base.vocabulary * _BYTES * _BUFFERS)
        self._positions = max(1, positions)

    def score(self, sequences: Sequence[Sequence[int]], *, progress: Progress) -> list[ContrastiveScores]:
        """Scores in the order of `sequences`; `progress` gets the number of scored tokens and of all tokens."""
        self._check(sequences)
        scores: dict[int, ContrastiveScores] = {}
        done, total = 0, sum(map(len, sequences))
        for indices in batches_by_length([len(ids) for ids in sequences], tokens=self._settings.batch_tokens):
            batch = [sequences[index] for index in indices]
            scores.update(zip(indices, self._score_batch(batch), strict=True))
            done += sum(map(len, batch))
            progress(done, total)
        return [scores[index] for index in range(len(sequences))]

    def _check(self, sequences: Sequence[Sequence[int]]) -> None:
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

    def _score_batch(self, batch: Sequence[Sequence[int]]) -> list[ContrastiveScores]:
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
            shared_states, own_states = self._contrasted_states(beginning[:-1], ids)
            common = self._probabilities(shared_states, beginning[1:])
            scores = iter(self._probabilities(own_states[:, :-1][followed], ids[:, 1:][followed]))
        return [ContrastiveScores((None, *common, *(next(scores) for _ in rest[1:]))) for rest in own]

    def _contrasted_states(self, shared: Any, own: Any) -> tuple[Any, Any]:
        """The states whose logits are the contrast of the two models' logits: the head, which both share, is linear."""
        beta = self._settings.beta
        positive, negative = (self._states(side, shared, own) for side in SIDES)
        shared_states, own_states = ((1 + beta) * p - beta * n for p, n in zip(positive, negative, strict=True))
        return shared_states, own_states

    def _states(self, side: str, shared: Any, own: Any) -> tuple[Any, Any]:
        """The states of the common beginning, which passes through the model once, and of each sequence's own part."""
        self._adapted.set_adapter(side)
        if not len(shared):
            states = self._model.base_model(input_ids=own, use_cache=False).last_hidden_state.float()
            return states[0, :0], states
        beginning = self._model.base_model(input_ids=shared[None], use_cache=True)
        cache = beginning.past_key_values
        cache.batch_repeat_interleave(len(own))
        own_states = self._model.base_model(input_ids=own, past_key_values=cache).last_hidden_state
        return beginning.last_hidden_state[0].float(), own_states.float()

    def _probabilities(self, states: Any, token_ids: Any) -> list[float]:
        head = self._model.get_output_embeddings()
        probabilities: list[float] = []
        for chunk, ids in zip(states.split(self._positions), token_ids.split(self._positions), strict=True):
            logits = head(chunk.to(head.weight.dtype)).float()
            log_scores = logits.gather(1, ids[:, None])[:, 0] - logits.logsumexp(1)
            probabilities += log_scores.clamp(max=0.0).double().exp().tolist()
        return probabilities


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
