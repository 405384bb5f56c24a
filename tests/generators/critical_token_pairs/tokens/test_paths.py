import pytest

from filters.answers.checker import Verdict
from generators.critical_token_pairs.tokens.paths import first_error_shares, known_outcomes, token_path, wrong_step
from generators.engine.simulated.policy import SimulatedPolicy
from generators.records import Attempt
from generators.search.tree import Tree
from tests.fakes import EOS, CharTokenizer
from tests.wrong_solutions import wrong_solution

TOKENIZER = CharTokenizer()
PROMPT = (1, 2)
RESPONSE = (*TOKENIZER.encode("ab\nc"), EOS)
ATTEMPT = Attempt(
    problem_id="p",
    attempt_index=0,
    prompt_token_ids=PROMPT,
    token_ids=RESPONSE,
    text="ab\nc",
    finish_reason="eos",
    verdict=Verdict.DIFFERENT,
    extracted=None,
)


def labels():
    tree = Tree("p", PROMPT)
    for index in range(4):
        tree.root.record(index, index < 3)
    first, last = tree.path(RESPONSE, [3, 5], ["ab\n", "c"])
    first.record(0, True)
    first.record(1, False)
    last.is_end, last.own_outcome = True, False
    return tree


def path(span):
    return token_path(labels(), ATTEMPT, span, TOKENIZER)


@pytest.mark.parametrize("span", [(0, 5), (0, 3), (3, 5), (1, 2)])
def test_a_node_stands_at_every_token_of_the_span(span):
    _, nodes = path(span)
    assert [node.prefix for node in nodes] == [PROMPT + RESPONSE[:end] for end in range(span[0] + 1, span[1] + 1)]
    assert "".join(node.text for node in nodes) == TOKENIZER.decode(RESPONSE[span[0] : span[1]])


@pytest.mark.parametrize(
    ("span", "right", "decided"),
    [((0, 3), 3, 4), ((3, 5), 1, 2), ((1, 2), 0, 0)],
    ids=["the attempts", "the labels' rollouts from the step's start", "nothing inside a step"],
)
def test_the_root_knows_what_the_labels_know_of_the_place(span, right, decided):
    tree, _ = path(span)
    assert (tree.root.counts.n_correct, tree.root.counts.n_rollouts) == (right, decided)


def test_only_a_path_to_the_end_of_the_response_ends_with_its_outcome():
    assert path((3, 5))[1][-1].counts.n_rollouts == 1
    assert not path((0, 3))[1][-1].is_end


def test_the_tree_of_the_labels_stays_as_it_was():
    tree = labels()
    token_path(tree, ATTEMPT, (0, 5), TOKENIZER)
    assert len(tree) == 3


@pytest.mark.parametrize("span", [(0, 6), (3, 3), (4, 2), (-1, 2)])
def test_a_span_outside_the_response_is_refused(span):
    with pytest.raises(ValueError, match=r"span must lie within the 5 tokens of the response, got \("):
        path(span)


def test_a_place_that_the_labels_do_not_know_has_no_outcomes():
    assert known_outcomes(labels(), (*PROMPT, *RESPONSE[:3])) == {0: True, 1: False}
    assert known_outcomes(labels(), (*PROMPT, *RESPONSE[:2])) == {}


def test_a_place_is_as_probably_the_first_wrong_one_as_soundness_falls_there():
    assert first_error_shares((1.0, 0.75, 0.25, 0.0)) == (0.0, 0.25, 0.5, 0.25)


def test_the_wrong_step_of_labels_holds_the_wrong_total():
    case = wrong_solution(SimulatedPolicy())
    start, end = wrong_step(case.labelled)
    assert start <= case.critical < end
