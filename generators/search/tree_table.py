"""The table of the search trees that labels come from; trees to rows, and back."""

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from filters.schema import Column, Schema
from generators.columns import IDS, N_NO_ANSWER, ORIGIN, PROBLEM
from generators.records import Provenance
from generators.search.tree import Tree, grow
from generators.token_columns import rows_with_ids

SEARCH_TREES = Schema(
    name="search_trees",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "node_id": Column(pl.String, "Hash of the tokens from the prompt to the end of the step."),
        "parent_id": Column(pl.String, "The node of the step before; null for the prompt.", nullable=True),
        "depth": Column(pl.Int64, "How many steps the solution has up to here, this one included."),
        "token_ids": Column(IDS, "The step's own token ids; the root's are the prompt's."),
        "text": Column(pl.String, "The step's text."),
        "is_end": Column(pl.Boolean, "Whether a solution ends here; the counts are then its own outcome."),
        "n_correct": Column(pl.Int64, "The rollouts from here with the right answer; the root's are the attempts."),
        "n_rollouts": Column(pl.Int64, "The rollouts from here whose answer could be decided."),
        "n_undecided": Column(pl.Int64, "The rollouts from here whose answer could not be decided."),
        "n_no_answer": Column(pl.Int64, f"How many rollouts from here {N_NO_ANSWER}.", nullable=True, added=True),
        **ORIGIN,
    },
    key=("problem_id", "node_id"),
    rules={
        "n_correct: at_most_n_rollouts": pl.col("n_correct").is_between(0, pl.col("n_rollouts")),
        "parent_id: of_all_but_the_root": pl.col("parent_id").is_null() == (pl.col("depth") == 0),
    },
)


def search_trees_table(trees: Iterable[Tree], provenance: Provenance) -> pl.DataFrame:
    """The `search_trees` table of one slice: every node of every tree with its counts."""
    return SEARCH_TREES.frame([row for tree in trees for row in tree_rows(tree, provenance)])


def tree_rows(tree: Tree, provenance: Provenance) -> Iterator[dict[str, Any]]:
    """The rows of one tree: every node with its counts."""
    for node in tree:
        counts = node.counts
        yield {
            "problem_id": tree.problem_id,
            "node_id": node.node_id,
            "parent_id": node.parent.node_id if node.parent else None,
            "depth": node.depth,
            "token_ids": node.token_ids,
            "text": node.text,
            "is_end": node.is_end,
            "n_correct": counts.n_correct,
            "n_rollouts": counts.n_rollouts,
            "n_undecided": counts.n_undecided,
            "n_no_answer": counts.n_no_answer,
            **provenance,
        }


def trees_of(frame: pl.DataFrame) -> dict[str, Tree]:
    """The trees of a `search_trees` table by problem id."""
    by_problem = frame.sort("problem_id", "depth", "node_id").partition_by("problem_id", as_dict=True)
    return {
        str(key[0]): grow(str(key[0]), list(rows_with_ids(part, part.columns, ("token_ids",))))
        for key, part in by_problem.items()
    }
