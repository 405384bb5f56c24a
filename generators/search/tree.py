"""The search tree of one problem: nodes are prefixes that end where a step ends, and hold raw outcomes.

Knows nothing of engines, answers or files. Two prefixes of the same tokens are one node, whatever way they were
reached. A node keeps the outcome of every rollout by the rollout's index, so that telling it twice changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from generators.records import StepCounts

Outcome = bool | None  # whether a rollout ended right; None where its answer could not be decided


@dataclass(slots=True, eq=False)
class Node:
    """The prefix that ends with one step; `token_ids` are that step's own, the root's are the prompt.

    `outcomes` has one entry per rollout from here, by its index. `own_outcome` is what the solution that ends here
    came to, where one does.
    """

    node_id: str
    parent: "Node | None"
    token_ids: tuple[int, ...]
    text: str
    depth: int
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    own_outcome: Outcome = None
    is_end: bool = False

    def tell(self, index: int, outcome: Outcome) -> None:
        """What rollout `index` from here came to."""
        self.outcomes[index] = outcome

    @property
    def prefix(self) -> tuple[int, ...]:
        """Every token id from the start of the prompt to the end of this step."""
        parts = [node.token_ids for node in self.lineage()]
        return tuple(token_id for part in parts for token_id in part)

    @property
    def counts(self) -> StepCounts:
        """Right, decided and undecided rollouts; of a node that ends a solution, that solution's one outcome."""
        seen = [self.own_outcome] if self.is_end else list(self.outcomes.values())
        undecided = sum(outcome is None for outcome in seen)
        return StepCounts(
            n_correct=sum(outcome is True for outcome in seen),
            n_rollouts=len(seen) - undecided,
            n_undecided=undecided,
        )

    def lineage(self) -> list["Node"]:
        """The nodes from the root to this one."""
        nodes = [self]
        while (parent := nodes[-1].parent) is not None:
            nodes.append(parent)
        return nodes[::-1]


class Tree:
    """The nodes of one problem by id; the root is the prompt."""

    def __init__(self, problem_id: str, prompt_token_ids: Sequence[int]) -> None:
        self.problem_id = problem_id
        self.root = Node(_node_id("", prompt_token_ids), None, tuple(prompt_token_ids), "", 0)
        self._nodes = {self.root.node_id: self.root}

    def __iter__(self) -> Iterator[Node]:
        """Every node, parents before children."""
        return iter(self._nodes.values())

    def __len__(self) -> int:
        return len(self._nodes)

    def __getitem__(self, node_id: str) -> Node:
        return self._nodes[node_id]

    def path(self, token_ids: Sequence[int], ends: Sequence[int], texts: Sequence[str]) -> tuple[Node, ...]:
        """The node at the end of each step of a solution, made where it is not there yet.

        `ends` are the steps' ends in `token_ids` (exclusive), `texts` their text.
        """
        nodes = []
        here = self.root
        for start, end, text in zip([0, *ends[:-1]], ends, texts, strict=True):
            here = self.child(here, tuple(token_ids[start:end]), text)
            nodes.append(here)
        return tuple(nodes)

    def child(self, parent: Node, token_ids: tuple[int, ...], text: str) -> Node:
        """The node one step behind another, made where it is not there yet."""
        node_id = _node_id(parent.node_id, token_ids)
        if node_id not in self._nodes:
            self._nodes[node_id] = Node(node_id, parent, token_ids, text, parent.depth + 1)
        return self._nodes[node_id]


def grow(problem_id: str, rows: Sequence[Mapping[str, object]]) -> Tree:
    """The tree whose nodes were written as `rows` (columns of `SEARCH_TREES`), with their counts.

    Raises ValueError where a node's parent is missing or its id is not that of its tokens.
    """
    root, *others = sorted(rows, key=lambda row: int(str(row["depth"])))
    tree = Tree(problem_id, _ids(root))
    _tell(tree.root, root)
    for row in others:
        parent = str(row["parent_id"])
        if parent not in tree._nodes:
            raise ValueError(f"node {row['node_id']} of problem {problem_id} has no parent {parent}: rows are missing")
        node = tree.child(tree[parent], _ids(row), str(row["text"]))
        if node.node_id != row["node_id"]:
            raise ValueError(f"node {row['node_id']} of problem {problem_id} holds other tokens than its id names")
        _tell(node, row)
    return tree


def _ids(row: Mapping[str, object]) -> tuple[int, ...]:
    ids = row["token_ids"]
    if not isinstance(ids, Sequence):
        raise ValueError(f"token_ids must be a list of ids, got {ids!r}")
    return tuple(int(token_id) for token_id in ids)


def _tell(node: Node, row: Mapping[str, object]) -> None:
    right, decided, undecided = (int(str(row[name])) for name in ("n_correct", "n_rollouts", "n_undecided"))
    told: list[Outcome] = [True] * right + [False] * (decided - right) + [None] * undecided
    node.is_end = bool(row["is_end"])
    if node.is_end:
        (node.own_outcome,) = told
    else:
        node.outcomes = dict(enumerate(told))


def _node_id(parent_id: str, token_ids: Sequence[int]) -> str:
    content = f"{parent_id}:{','.join(map(str, token_ids))}"
    return blake2b(content.encode(), digest_size=8).hexdigest()
