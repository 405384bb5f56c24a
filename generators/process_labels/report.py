"""The metadata of one slice's labels, for a person to read."""

from collections import Counter

import polars as pl

from generators.process_labels.audit.audit import Audit, audit, audit_by_kind
from generators.process_labels.labels import count_labels
from generators.search.tree import Tree
from generators.search.tree_picture import tree_picture
from generators.shown import Counts, Facts, Histogram, SampleRows, Shown, Svg

_NO_TREE = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def shown(
    labels: pl.DataFrame, sample: pl.DataFrame, planted_errors: pl.DataFrame, strategy: str, tree: Tree | None
) -> dict[str, Shown]:
    """Counts of labels, values, first errors, the audit, a search tree, and rows to read."""
    first_errors = Counter(
        "not sure" if index is None else "none" if index < 0 else "found" for index in labels["first_error"]
    )
    rollouts = labels["n_rollouts"].list.sum().to_list()
    values = labels["soft_labels"].explode().drop_nulls().to_list()
    by_kind = audit_by_kind(*(planted_errors[name].to_list() for name in ("found", "planted", "kind")))
    return {
        "strategy": strategy,
        "steps": Counts(count_labels(labels)),
        "refuted_steps": labels["false_equations"].explode().drop_nulls().len(),
        "first_errors": Counts(first_errors),
        "rollouts_per_solution": sum(rollouts) / max(1, len(rollouts)),
        "further_rollouts": int(labels["n_further"].list.sum().sum()),
        "step_values": Histogram(values=values, title="Value per step", x="value", y="steps"),
        "stop_reasons": Counts(Counter(labels["stop_reasons"].explode().drop_nulls().to_list())),
        "steps_per_solution": Counts(Counter(f"{n} steps" for n in labels["hard_labels"].list.len().to_list())),
        "audit": Facts(audit_of(planted_errors).facts() | {"refuted": int(planted_errors["is_refuted"].sum())}),
        "audit_by_kind": Facts({kind: audited.recall for kind, audited in by_kind.items()}),
        "search_tree": Svg(title="A search tree", content=tree_picture(tree).encode() if tree else _NO_TREE),
        "sample_rows": SampleRows(
            sample, ("prompt", "steps", "n_correct", "n_rollouts", "values", "first_error", "verdict")
        ),
    }


def audit_of(planted_errors: pl.DataFrame) -> Audit:
    """The comparison of the labels' first errors with the planted ones."""
    return audit(planted_errors["found"].to_list(), planted_errors["planted"].to_list())
