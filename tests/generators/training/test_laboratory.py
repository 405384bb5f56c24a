import random

import pytest

from generators.engine.errors import EngineMisconfigured
from generators.engine.tokenizer import HFTokenizer
from generators.models.policy import LABORATORY, identify
from generators.problems import prompt as solve
from generators.problems.laboratory.law import AGAIN, attempt
from generators.problems.laboratory.tasks import NAMES, TASKS
from generators.sampling.steps import step_ends, step_texts
from generators.training.laboratory import Laboratory, examples_of, laboratory_model, make_laboratory
from generators.training.laboratory_tokenizer import save_tokenizer
from generators.training.settings import TrainingSettings

TINY = Laboratory(
    layers=1, heads=1, inner=32, problems_per_task=8, thoughts=0.4, again=0.3, training=TrainingSettings(batch_size=8)
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(folder)
    return HFTokenizer(folder)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    make_laboratory(lambda line: None, cache, TINY)
    return cache


@pytest.mark.parametrize("name", NAMES)
def test_texts_of_a_task_come_back_whole_and_are_written_in_words(name, tokenizer):
    task, draw = TASKS[name](), random.Random(0)
    prompt = task.draw(draw)
    text = "\n".join(line.text for line in attempt(task, prompt, draw))
    for written in (prompt, text, f"<think>\n{text}\n</think>\n\n{text}"):
        ids = tokenizer.encode(written)
        assert tokenizer.decode(ids) == written
        assert "".join(tokenizer.pieces(ids)) == written
        assert len(ids) < len(written) / 2


def test_any_other_text_comes_back_whole_byte_by_byte(tokenizer):
    text = "Wait, that step is not right.\nSchönes Übel: ∑ is 3\t\n\n"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_step_ends_at_the_token_of_its_line_break(tokenizer):
    text = "(a): 3 up 4 is 7\nWait.\nThe answer is \\boxed{7}."
    ids = tokenizer.encode(text)
    texts = step_texts(ids, step_ends(ids, tokenizer), tokenizer)
    assert texts == ("(a): 3 up 4 is 7\n", "Wait.\n", "The answer is \\boxed{7}.")


def test_the_chat_template_shows_the_problem_alone(tokenizer):
    ids = tokenizer.chat(solve.messages("Chain: 3\n(a): up 4"))
    assert tokenizer.decode_whole(ids) == "<|problem|>Chain: 3\n(a): up 4<|solution|>"
    assert tokenizer.encode_whole(tokenizer.decode_whole(ids)) == ids


def test_examples_are_plain_or_have_thoughts_or_begin_again_and_only_the_last_part_is_learned(tokenizer):
    kinds = set()
    for example in examples_of(TINY, tokenizer):
        head = tokenizer.decode_whole(example.token_ids[: example.solution_start])
        learned = tokenizer.decode_whole(example.token_ids[example.solution_start :])
        kinds.add("thoughts" if head.endswith("<think>\n") else "again" if head.endswith(f"{AGAIN}\n") else "plain")
        assert AGAIN not in learned and "<think>" not in learned
        assert learned.endswith("}.<|end|>")
    assert kinds == {"plain", "thoughts", "again"}


def test_the_policy_is_built_once_and_is_the_same_wherever_it_is_built(cache, tmp_path):
    folder = laboratory_model(cache, TINY)
    assert make_laboratory(pytest.fail, cache, TINY) == folder
    other = make_laboratory(lambda line: None, tmp_path, TINY)
    assert other.name == folder.name
    assert (other / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def test_the_built_policy_has_a_name_and_a_tokenizer(cache):
    policy = identify(str(laboratory_model(cache, TINY)))
    assert policy.name.startswith("laboratory-")
    assert policy.tokenizer.vocabulary < 400


def test_a_policy_that_was_not_built_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("STEPMILL_CACHE", str(tmp_path))
    with pytest.raises(EngineMisconfigured, match="run `make laboratory`"):
        identify(LABORATORY)
