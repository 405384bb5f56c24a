"""How a labelled solution is drawn: its steps, coloured by value."""

from generators.view import Counts, Steps, View

VIEW = View(
    panels=(
        Steps(
            texts="steps",
            values=Counts(
                share="soft_labels", low="values_low", high="values_high", n_right="n_correct", n="n_rollouts"
            ),
            labels="hard_labels",
            first_wrong="first_error",
            nodes="node_ids",
            root=Counts(n_right="n_attempts_right", n="n_attempts"),
            notes=("sound", "n_undecided", "n_no_answer", "n_further", "stop_reasons", "false_equations"),
        ),
    ),
    facts=("verdict", "extracted", "strategy", "judge_first_error"),
)
