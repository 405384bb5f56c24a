"""How a step pair is drawn: the steps before, and the right and the wrong next step side by side."""

from generators.view import Counts, Interval, Pair, Side, View


def _side(name: str) -> Side:
    value = Counts(share=f"{name}_value", n_right=f"{name}_n_correct", n=f"{name}_n_rollouts")
    return Side(text=name, whole=f"full_{name}", value=value)


VIEW = View(
    panels=(
        Pair(
            before="initial_reason_steps",
            chosen=_side("chosen"),
            rejected=_side("rejected"),
            margin=Interval(share="value_margin", low="value_margin_low", high="value_margin_high"),
        ),
    ),
    facts=("step_index", "pass_rate", "localiser", "test_margin"),
)
