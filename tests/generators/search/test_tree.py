import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.records import StepCounts
from generators.search.tree import Tree, grow
from generators.search.tree_table import SEARCH_TREES, search_trees_table, trees_of

ORIGIN = {"policy": "tiny", "round": "first", "slice": "sums-0"}
STEP = st.lists(st.integers(0, 2), min_size=1, max_size=2).map(tuple)
SOLUTIONS = st.lists(st.lists(STEP, min_size=1, max_size=4).map(tuple), min_size=1, max_size=8)


def planted(tree, steps):
    """The path of a solution that is given in steps of token ids."""
    token_ids = [token_id for step in steps for token_id in step]
    ends = [sum(map(len, steps[: place + 1])) for place in range(len(steps))]
    return tree.path(token_ids, ends, [f"{step}" for step in steps])


def small_tree():
    """A prompt with attempts, a shared first step, one right and one wrong ending."""
    tree = Tree("p", (7, 7))
    shared, right = planted(tree, [(1, 2), (3,)])
    wrong = planted(tree, [(1, 2), (4, 5)])[-1]
    for index, outcome in enumerate((True, False, False, None)):
        tree.root.record(index, outcome)
    for index, outcome in enumerate((True, True, False, None, None)):
        shared.record(index, outcome)
    right.is_end, right.own_outcome = True, True
    wrong.is_end, wrong.own_outcome = True, False
    return tree


def written(tree):
    return search_trees_table([tree], ORIGIN).to_dicts()


def told(tree):
    return {node.node_id: (node.prefix, node.text, node.depth, node.is_end, node.counts) for node in tree}


@settings(deadline=None)
@given(SOLUTIONS)
def test_one_prefix_is_one_node_whatever_way_it_was_reached(solutions):
    tree = Tree("p", (9,))
    paths = [planted(tree, steps) for steps in solutions]
    prefixes = {steps[: place + 1] for steps in solutions for place in range(len(steps))}
    assert len(tree) == 1 + len(prefixes)
    for steps, path in zip(solutions, paths, strict=True):
        assert path == planted(tree, steps)
        assert [node.prefix for node in path] == [
            (9, *(token_id for step in steps[: place + 1] for token_id in step)) for place in range(len(steps))
        ]


@settings(deadline=None)
@given(SOLUTIONS, st.randoms(use_true_random=False))
def test_the_order_of_growth_leaves_no_trace_in_the_names_of_nodes(solutions, random):
    one, other = Tree("p", (9,)), Tree("p", (9,))
    for steps in solutions:
        planted(one, steps)
    for steps in random.sample(solutions, len(solutions)):
        planted(other, steps)
    assert {node.node_id for node in one} == {node.node_id for node in other}


def test_another_prompt_names_other_nodes():
    one, other = Tree("p", (1,)), Tree("p", (2,))
    assert planted(one, [(5,)])[0].node_id != planted(other, [(5,)])[0].node_id


def test_the_same_tokens_cut_at_other_places_are_other_nodes():
    tree = Tree("p", (9,))
    assert planted(tree, [(1,), (2,)])[-1] is not planted(tree, [(1, 2)])[-1]


def test_telling_an_outcome_twice_changes_nothing():
    tree = Tree("p", (9,))
    for index, outcome in [(0, True), (1, False), (0, True), (2, None), (1, False), (2, None)]:
        tree.root.record(index, outcome)
    assert tree.root.counts == StepCounts(n_correct=1, n_rollouts=2, n_undecided=1)


def test_a_rollout_without_an_answer_is_counted_beside_its_outcome_also_after_the_tree_was_read_back():
    tree = Tree("p", (9,))
    for index, (outcome, no_answer) in enumerate([(True, False), (False, True), (None, True), (False, False)]):
        tree.root.record(index, outcome, no_answer=not no_answer)  # what is recorded last counts
        tree.root.record(index, outcome, no_answer=no_answer)
    counts = StepCounts(n_correct=1, n_rollouts=3, n_undecided=1, n_no_answer=2)
    assert tree.root.counts == counts
    table = search_trees_table([tree], ORIGIN)
    assert trees_of(table)["p"].root.counts == counts
    assert trees_of(SEARCH_TREES.completed(table.drop("n_no_answer")))["p"].root.counts.n_no_answer == 0


@pytest.mark.parametrize(
    ("own", "counts"),
    [
        (True, StepCounts(n_correct=1, n_rollouts=1, n_undecided=0)),
        (False, StepCounts(n_correct=0, n_rollouts=1, n_undecided=0)),
        (None, StepCounts(n_correct=0, n_rollouts=0, n_undecided=1)),
    ],
)
def test_a_node_that_ends_a_solution_counts_its_own_outcome(own, counts):
    (node,) = planted(Tree("p", (9,)), [(1,)])
    node.record(0, not own)
    node.is_end, node.own_outcome = True, own
    assert node.counts == counts


def test_a_lineage_leads_from_the_root_to_the_node():
    tree = Tree("p", (9,))
    first, second = planted(tree, [(1,), (2,)])
    assert second.lineage() == [tree.root, first, second]
    assert [node.depth for node in second.lineage()] == [0, 1, 2]


def test_a_tree_that_was_written_reads_back_as_the_same_tree():
    tree = small_tree()
    table = search_trees_table([tree], ORIGIN)
    back = trees_of(table.sample(fraction=1.0, shuffle=True, seed=3))
    assert list(back) == ["p"]
    assert told(back["p"]) == told(tree)
    assert table.height == len(tree) == 4


def test_trees_of_several_problems_are_told_apart():
    one, other = Tree("p", (1,)), Tree("q", (1,))
    planted(one, [(2,)])
    planted(other, [(3,), (4,)])
    back = trees_of(search_trees_table([one, other], ORIGIN))
    assert {problem: len(tree) for problem, tree in back.items()} == {"p": 2, "q": 3}
    assert told(back["q"]) == told(other)


def test_a_node_without_its_parent_is_refused():
    tree = small_tree()
    shared, missing = next((node.node_id, node.parent.node_id) for node in tree if node.depth == 2)
    rows = [row for row in written(tree) if row["node_id"] != missing]
    with pytest.raises(ValueError, match=f"node {shared} of problem p has no parent {missing}: rows are missing"):
        grow("p", rows[:1] + [row for row in rows[1:] if row["node_id"] == shared])


def test_a_node_whose_id_names_other_tokens_is_refused():
    rows = written(small_tree())
    forged = next(row for row in rows if row["depth"] == 1)
    forged["token_ids"] = [1, 3]
    with pytest.raises(ValueError, match=f"node {forged['node_id']} of problem p holds other tokens than its id names"):
        grow("p", rows)


def test_token_ids_that_are_no_list_are_refused():
    rows = written(small_tree())
    rows[0]["token_ids"] = 7
    with pytest.raises(ValueError, match="token_ids must be a list of ids, got 7"):
        grow("p", rows)
