import asyncio

import pytest
import torch
from transformers import LlamaForSequenceClassification, PreTrainedTokenizerFast

from generators.engine.errors import EngineMisconfigured, RequestRefused
from generators.models.reward_model import LocalRewardModel, RewardModelSettings, batches, pad_id
from tests.tiny_reward import made

SOLUTIONS = ("It is 4", "4", "It is 2 + 2 = 4", "5", "It is 4")


def scores(folder, solutions=SOLUTIONS, **settings):
    reward = LocalRewardModel(RewardModelSettings(model=str(folder), device="cpu", **settings))
    return asyncio.run(reward.score("What is 2 + 2 ?", solutions))


def alone(folder, solutions=SOLUTIONS):
    """What the model says of each conversation by itself, without padding."""
    model = LlamaForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    texts = [f"user What is 2 + 2 ? <end> assistant {solution} <end>" for solution in solutions]
    with torch.inference_mode():
        return [float(model(torch.tensor([tokenizer.encode(text)])).logits[0, 0]) for text in texts]


@pytest.mark.parametrize("pad", ["<pad>", "<end>", None])
@pytest.mark.parametrize("batch_tokens", [1, 40, 16_384])
def test_a_score_is_what_the_model_says_of_the_conversation_alone_whatever_the_batch(tmp_path, pad, batch_tokens):
    folder = made(tmp_path, pad=pad)
    found = scores(folder, batch_tokens=batch_tokens)
    assert found == pytest.approx(alone(folder), abs=1e-5)
    assert found[0] == pytest.approx(found[4], abs=1e-6)
    assert len({round(score, 4) for score in found}) == 4


def test_calls_take_turns_and_each_has_its_own_answers(tmp_path):
    reward = LocalRewardModel(RewardModelSettings(model=str(made(tmp_path)), device="cpu"))

    async def work():
        return await asyncio.gather(*(reward.score("What is 2 + 2 ?", [solution]) for solution in SOLUTIONS))

    assert [score for (score,) in asyncio.run(work())] == pytest.approx(alone(tmp_path), abs=1e-5)
    assert reward.name == tmp_path.name


def test_no_solution_has_no_score(tmp_path):
    assert scores(made(tmp_path), ()) == ()


@pytest.mark.parametrize(
    ("changes", "solutions", "error", "message"),
    [
        ({"labels": 2}, ("4",), EngineMisconfigured, "has 2 labels: model must be one with one label"),
        ({"template": None}, ("4",), EngineMisconfigured, "has no chat template"),
        ({}, ("4 " * 40,), RequestRefused, "have 50 tokens and the reward model .* reads 32 at most"),
    ],
)
def test_a_model_or_a_text_that_cannot_work_is_refused_with_the_remedy(tmp_path, changes, solutions, error, message):
    with pytest.raises(error, match=message):
        scores(made(tmp_path, **changes), solutions)


@pytest.mark.parametrize(
    ("lengths", "batch_tokens", "expected"),
    [
        ([5, 1, 3], 100, [[1, 2, 0]]),
        ([5, 1, 3], 6, [[1, 2], [0]]),
        ([5, 1, 3], 1, [[1], [2], [0]]),
        ([4, 4, 4], 8, [[0, 1], [2]]),
        ([], 8, []),
    ],
)
def test_texts_of_like_length_share_a_batch(lengths, batch_tokens, expected):
    assert list(batches(lengths, batch_tokens)) == expected


def test_padding_never_ends_a_text():
    assert pad_id([(1, 2), (3, 7)], 5) == 5
    assert pad_id([(1, 2), (3, 0)], 2) == 1
    assert pad_id([(1, 0), (3, 1)], None) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"model": ""}, "model must name a folder or a Hub id, got ''"), ({"batch_tokens": 0}, "batch_tokens must be at")],
)
def test_settings_out_of_bounds_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        RewardModelSettings(**{"model": "m", **changes})
