"""A search tree as a picture: one line per step, indented by depth, with a bar for its share of right rollouts."""

from collections import defaultdict
from html import escape

from generators.search.tree import Node, Tree

_LINE, _INDENT, _BAR, _SHOWN = 18, 14, 60, 24
_CHARACTERS = 60


def tree_picture(tree: Tree) -> str:
    """An SVG of at most 24 nodes, parents before children, with a note on how many are left out."""
    nodes = _in_order(tree)
    shown = nodes[:_SHOWN]
    lines = [_line(node, row) for row, node in enumerate(shown)]
    height = _LINE * (len(shown) + 2)
    left_out = len(nodes) - len(shown)
    note = f"<text x='4' y='{height - 6}' fill='#777'>and {left_out} more</text>" if left_out else ""
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='760' height='{height}' font-size='12' "
        f"font-family='monospace'>{''.join(lines)}{note}</svg>"
    )


def _in_order(tree: Tree) -> list[Node]:
    children: dict[str, list[Node]] = defaultdict(list)
    for node in tree:
        if node.parent is not None:
            children[node.parent.node_id].append(node)
    ordered, open_nodes = [], [tree.root]
    while open_nodes:
        node = open_nodes.pop()
        ordered.append(node)
        open_nodes += reversed(children[node.node_id])
    return ordered


def _line(node: Node, row: int) -> str:
    counts = node.counts
    x, y = 4 + _INDENT * min(node.depth, 16), _LINE * (row + 1)
    share = counts.n_correct / counts.n_rollouts if counts.n_rollouts else 0.0
    text = "problem" if node.parent is None else " ".join(node.text.split())
    fraction = f"{counts.n_correct}/{counts.n_rollouts}" if counts.n_rollouts else "–"
    bar = (
        f"<rect x='{x}' y='{y - 10}' width='{_BAR}' height='10' fill='#e2b5ae'/>"
        f"<rect x='{x}' y='{y - 10}' width='{round(_BAR * share)}' height='10' fill='#5b8c5a'/>"
        if counts.n_rollouts
        else f"<rect x='{x}' y='{y - 10}' width='{_BAR}' height='10' fill='#eee'/>"
    )
    words = escape(text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}…")
    return f"{bar}<text x='{x + _BAR + 6}' y='{y}'>{fraction} {words}</text>"
