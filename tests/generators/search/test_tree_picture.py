from xml.etree import ElementTree

from generators.search.tree import Tree
from generators.search.tree_picture import tree_picture


def lines(picture):
    """What a picture says, line by line; it has to be well-formed for that."""
    return [text.text for text in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]


def test_every_node_of_a_small_tree_is_shown_with_its_counts_parents_first():
    tree = Tree("p", (9,))
    first, right = tree.path((1, 2), (1, 2), ("Add 2.\n", "Four."))
    other = tree.path((1, 3), (1, 2), ("Add 2.\n", "Five."))[-1]
    untold = tree.path((4,), (1,), ("Guess.",))[-1]
    tree.root.record(0, True)
    for index in range(3):
        first.record(index, index > 0)
    right.is_end, right.own_outcome = True, True
    other.is_end, other.own_outcome = True, False
    assert untold.counts.n_rollouts == 0
    assert lines(tree_picture(tree)) == ["1/1 problem", "2/3 Add 2.", "1/1 Four.", "0/1 Five.", "– Guess."]


def test_text_is_escaped_and_set_on_one_line():
    tree = Tree("p", (9,))
    tree.path((1,), (1,), ("if a < b & c:\n  <b>bold</b>",))
    picture = tree_picture(tree)
    assert "<b>" not in picture
    assert lines(picture)[1] == "– if a < b & c: <b>bold</b>"


def test_a_long_step_is_cut_at_sixty_characters():
    tree = Tree("p", (9,))
    tree.path((1,), (1,), ("x" * 61,))
    tree.path((2,), (1,), ("y" * 60,))
    assert lines(tree_picture(tree))[1:] == [f"– {'x' * 60}…", f"– {'y' * 60}"]


def test_a_big_tree_says_how_many_nodes_are_left_out():
    tree = Tree("p", (9,))
    for token_id in range(23):
        tree.path((token_id,), (1,), (f"{token_id}",))
    assert len(lines(tree_picture(tree))) == 24
    for token_id in range(23, 30):
        tree.path((token_id,), (1,), (f"{token_id}",))
    assert lines(tree_picture(tree))[-2:] == ["– 22", "and 7 more"]


def test_a_bar_is_as_long_as_the_share_of_right_rollouts():
    tree = Tree("p", (9,))
    for index in range(4):
        tree.root.record(index, index == 0)
    bars = ElementTree.fromstring(tree_picture(tree)).iter("{http://www.w3.org/2000/svg}rect")
    assert [bar.get("width") for bar in bars] == ["60", "15"]
