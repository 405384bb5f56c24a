"""The search tree of one problem: each node is a prefix that ends with a step, and holds raw outcomes.

Equal prefixes are one node, however they were reached. A node keeps outcomes by rollout index, so recording the same
rollout twice changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from generators.records import StepCounts
from generators.tokens import TokenIds, joined

Refutes = Callable[[str, str], bool]  # of the solution's text before a step, and of the step
Outcome = bool | None  # whether a rollout ended right; None if its answer could not be decided


@dataclass(slots=True, eq=False)
class Node:
    """A prefix that ends with a step; `token_ids` are that step's own, and the root's are the prompt.

    `outcomes` holds the outcome of each rollout from here, by index, and `unanswered` the indexes of those that end
    without a recognised answer. `own_outcome` is the outcome of the solution that ends here, if one does. `is_refuted`
    says that the step is known to be wrong without a rollout.
    """

    node_id: str
    parent: "Node | None"
    token_ids: TokenIds
    text: str
    depth: int
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    unanswered: set[int] = field(default_factory=set)
    own_outcome: Outcome = None
    is_end: bool = False
    is_refuted: bool = False

    def record(self, index: int, outcome: Outcome, *, no_answer: bool = False) -> None:
        """Record the outcome of rollout `index` from here."""
        self.outcomes[index] = outcome
        self.unanswered -= {index}
        if no_answer:
            self.unanswered.add(index)

    @property
    def prefix(self) -> TokenIds:
        """Every token id from the start of the prompt to the end of this step."""
        return joined(node.token_ids for node in self.lineage())

    @property
    def counts(self) -> StepCounts:
        """Right, decided and undecided rollouts; if a solution ends here, its outcome is the only one counted."""
        outcomes = [self.own_outcome] if self.is_end else list(self.outcomes.values())
        undecided = sum(outcome is None for outcome in outcomes)
        return StepCounts(
            n_correct=sum(outcome is True for outcome in outcomes),
            n_rollouts=len(outcomes) - undecided,
            n_undecided=undecided,
            n_no_answer=0 if self.is_end else len(self.unanswered),
        )

    def lineage(self) -> list["Node"]:
        """The nodes from the root to this one."""
        nodes = [self]
        while (parent := nodes[-1].parent) is not None:
            nodes.append(parent)
        return nodes[::-1]


class Tree:
    """The nodes of one problem by id; the root is the prompt. `refutes` decides which steps are wrong by themselves."""

    def __init__(self, problem_id: str, prompt_token_ids: Sequence[int], refutes: Refutes | None = None) -> None:
        self.problem_id = problem_id
        self._refutes = refutes
        self.root = Node(_node_id("", prompt_token_ids), None, TokenIds(prompt_token_ids), "", 0)
        self._nodes = {self.root.node_id: self.root}

    def __iter__(self) -> Iterator[Node]:
        """Every node, parents before children."""
        return iter(self._nodes.values())

    def __len__(self) -> int:
        return len(self._nodes)

    def __getitem__(self, node_id: str) -> Node:
        return self._nodes[node_id]

    def path(self, token_ids: Sequence[int], ends: Sequence[int], texts: Sequence[str]) -> tuple[Node, ...]:
        """The node at the end of each step of a solution, created if missing.

        `ends` are the steps' ends in `token_ids` (exclusive), `texts` their texts.
        """
        nodes = []
        node, ids = self.root, TokenIds(token_ids)
        for start, end, text in zip([0, *ends[:-1]], ends, texts, strict=True):
            node = self.child(node, ids[start:end], text)
            nodes.append(node)
        return tuple(nodes)

    def child(self, parent: Node, token_ids: Sequence[int], text: str) -> Node:
        """The node one step after `parent`, created if missing."""
        node_id = _node_id(parent.node_id, token_ids)
        if node_id not in self._nodes:
            node = Node(node_id, parent, TokenIds(token_ids), text, parent.depth + 1)
            if self._refutes is not None:
                node.is_refuted = self._refutes("".join(earlier.text for earlier in parent.lineage()), text)
            self._nodes[node_id] = node
        return self._nodes[node_id]


def grow(problem_id: str, rows: Sequence[Mapping[str, object]]) -> Tree:
    """Rebuild the tree whose nodes were written as `rows` (columns of `SEARCH_TREES`), with their counts.

    Raises ValueError if a node's parent is missing or its id does not match its tokens.
    """
    root, *others = sorted(rows, key=lambda row: int(str(row["depth"])))
    tree = Tree(problem_id, _ids(root))
    _restore_outcomes(tree.root, root)
    for row in others:
        parent = str(row["parent_id"])
        if parent not in tree._nodes:
            raise ValueError(f"node {row['node_id']} of problem {problem_id} has no parent {parent}: rows are missing")
        node = tree.child(tree[parent], _ids(row), str(row["text"]))
        if node.node_id != row["node_id"]:
            raise ValueError(f"node {row['node_id']} of problem {problem_id} holds other tokens than its id names")
        _restore_outcomes(node, row)
    return tree


def _ids(row: Mapping[str, object]) -> TokenIds:
    ids = row["token_ids"]
    if not isinstance(ids, Sequence):
        raise ValueError(f"token_ids must be a list of ids, got {ids!r}")
    return TokenIds(ids)


def _restore_outcomes(node: Node, row: Mapping[str, object]) -> None:
    right, decided, undecided = (int(str(row[name])) for name in ("n_correct", "n_rollouts", "n_undecided"))
    outcomes: list[Outcome] = [True] * right + [False] * (decided - right) + [None] * undecided
    node.is_end = bool(row["is_end"])
    if node.is_end:
        (node.own_outcome,) = outcomes
    else:
        node.outcomes = dict(enumerate(outcomes))
        node.unanswered = set(range(right, right + int(str(row.get("n_no_answer") or 0))))


def _node_id(parent_id: str, token_ids: Sequence[int]) -> str:
    content = f"{parent_id}:{','.join(map(str, token_ids))}"
    return blake2b(content.encode(), digest_size=8).hexdigest()
