"""Contrastive estimation (arXiv 2411.19943, section 3.2): which tokens right solutions go on with, and wrong ones not.

The score of a token is its probability under softmax((1 + beta) * positive - beta * negative) of two models' logits;
a low one nominates a critical token. Knows nothing of training or of what becomes of a nomination.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from generators.training.adapter_folder import read_origin
from generators.training.base import Base, Dtype, check_dtype
from generators.training.contrastive_models import SIDES, ContrastiveModels

VERSION = "2"  # bump when a change here would change the scores

Progress = Callable[[int, int], None]
_BUFFERS = 3  # what stands in memory at once for a chunk: the logits, and what their logsumexp makes of them
_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringSettings:
    """How tokens are scored, and in how much memory beside the model's own.

    A batch has at most `batch_tokens` tokens with its padding, or one sequence. Logits never take more than
    `logits_mib`, or those of one position. In `float32` a score is the plain forward pass's to 1e-3; `bfloat16`
    halves the memory and is coarser.
    """

    beta: float = 1.0
    batch_tokens: int = 4096
    logits_mib: int = 256
    dtype: Dtype = "float32"

    def __post_init__(self) -> None:
        if self.beta < 0:
            raise ValueError(f"beta must be at least 0, got {self.beta}")
        for field in ("batch_tokens", "logits_mib"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")
        check_dtype(self.dtype)


@dataclass(frozen=True, slots=True)
class ContrastiveScores:
    """One score a token of a prompt with its response; None for the first, which follows nothing."""

    scores: tuple[float | None, ...]

    def __post_init__(self) -> None:
        if not self.scores or self.scores[0] is not None or None in self.scores[1:]:
            raise ValueError(f"scores must be None for the first token and for no other, got {self.scores}")


class TokenScorer(Protocol):
    """Whatever scores the tokens of sequences; a policy without weights has one of its own."""

    def score(self, sequences: Sequence[Sequence[int]], *, progress: Progress) -> list[ContrastiveScores]:
        """Scores in the order of `sequences`; `progress` is told how many tokens of how many are done."""
        ...


class ContrastiveScorer:
    """One base model in memory with both adapters on it; raises AdapterRefused where they do not belong together."""

    def __init__(
        self, base: Base, models: ContrastiveModels, settings: ScoringSettings, *, device: str | None = None
    ) -> None:
        import torch
        from peft import PeftModel

        folders = dict(zip(SIDES, (models.positive, models.negative), strict=True))
        for folder in folders.values():
            read_origin(folder, base)
        self._base, self._settings = base, settings
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        model = base.load(dtype=settings.dtype, device=self._device)
        self._adapted = PeftModel(model, _config(folders["positive"]), adapter_name="positive")
        for side, folder in folders.items():
            self._adapted.load_adapter(str(folder), adapter_name=side, torch_device=self._device)
        self._model = model.eval()
        positions = settings.logits_mib * 2**20 // (base.vocabulary * _BYTES * _BUFFERS)
        self._positions = max(1, positions)

    def score(self, sequences: Sequence[Sequence[int]], *, progress: Progress) -> list[ContrastiveScores]:
        """Scores in the order of `sequences`; `progress` is told how many tokens of how many are done."""
        self._check(sequences)
        scores: dict[int, ContrastiveScores] = {}
        done, total = 0, sum(map(len, sequences))
        for places in batches_by_length([len(ids) for ids in sequences], tokens=self._settings.batch_tokens):
            batch = [sequences[place] for place in places]
            scores.update(zip(places, self._score_batch(batch), strict=True))
            done += sum(map(len, batch))
            progress(done, total)
        return [scores[place] for place in range(len(sequences))]

    def _check(self, sequences: Sequence[Sequence[int]]) -> None:
        known = self._base.vocabulary
        for place, ids in enumerate(sequences):
            if not ids:
                raise ValueError(f"sequences[{place}] must hold at least 1 token id, got none")
            outside = next((token_id for token_id in ids if not 0 <= token_id < known), None)
            if outside is not None:
                raise ValueError(
                    f"sequences[{place}] holds the token id {outside}, and {self._base.name} knows {known}: it was "
                    "made with another tokenizer"
                )

    def _score_batch(self, batch: Sequence[Sequence[int]]) -> list[ContrastiveScores]:
        """Padding stands behind a sequence, where no token of it looks."""
        import torch

        shared = max(0, shared_beginning(batch) - 1)  # the last common token stands before what each has of its own
        own = [sequence[shared:] for sequence in batch]
        longest = max(map(len, own))
        ids = torch.tensor([[*rest, *[0] * (longest - len(rest))] for rest in own], device=self._device)
        lengths = torch.tensor([[len(rest)] for rest in own], device=self._device)
        followed = torch.arange(1, longest, device=self._device) < lengths  # positions whose next token is scored
        begun = torch.tensor(batch[0][: shared + 1], device=self._device)
        with torch.inference_mode():
            before, behind = self._contrasted_states(begun[:-1], ids)
            common = self._probabilities(before, begun[1:])
            scores = iter(self._probabilities(behind[:, :-1][followed], ids[:, 1:][followed]))
        return [ContrastiveScores((None, *common, *(next(scores) for _ in rest[1:]))) for rest in own]

    def _contrasted_states(self, shared: Any, own: Any) -> tuple[Any, Any]:
        """The states whose logits are the contrast of the two models' logits: the head, which both share, is linear."""
        beta = self._settings.beta
        positive, negative = (self._states(side, shared, own) for side in SIDES)
        before, behind = ((1 + beta) * p - beta * n for p, n in zip(positive, negative, strict=True))
        return before, behind

    def _states(self, side: str, shared: Any, own: Any) -> tuple[Any, Any]:
        """The states of the common beginning, which goes through the model once, and those of what is behind it."""
        self._adapted.set_adapter(side)
        if not len(shared):
            states = self._model.base_model(input_ids=own, use_cache=False).last_hidden_state.float()
            return states[0, :0], states
        begun = self._model.base_model(input_ids=shared[None], use_cache=True)
        cache = begun.past_key_values
        cache.batch_repeat_interleave(len(own))
        behind = self._model.base_model(input_ids=own, past_key_values=cache).last_hidden_state
        return begun.last_hidden_state[0].float(), behind.float()

    def _probabilities(self, states: Any, token_ids: Any) -> list[float]:
        head = self._model.get_output_embeddings()
        found: list[float] = []
        for part, wanted in zip(states.split(self._positions), token_ids.split(self._positions), strict=True):
            logits = head(part.to(head.weight.dtype)).float()
            log_scores = logits.gather(1, wanted[:, None])[:, 0] - logits.logsumexp(1)
            found += log_scores.clamp(max=0.0).double().exp().tolist()
        return found


def shared_beginning(sequences: Sequence[Sequence[int]]) -> int:
    """How many tokens all sequences begin with alike."""
    columns = zip(*sequences, strict=False)
    shortest = min(map(len, sequences))
    return next((place for place, column in enumerate(columns) if len(set(column)) > 1), shortest)


def batches_by_length(lengths: Sequence[int], *, tokens: int) -> list[list[int]]:
    """Places of sequences, the longest first, in batches of at most `tokens` padded tokens, or of one sequence."""
    batches: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place], reverse=True):
        if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= tokens:
            batches[-1].append(place)
        else:
            batches.append([place])
    return batches


def _config(folder: Any) -> Any:
    from peft import PeftConfig

    return PeftConfig.from_pretrained(str(folder))
