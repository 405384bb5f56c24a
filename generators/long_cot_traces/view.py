"""How a long chain of thought is drawn: thoughts with their behaviours highlighted, and the solution."""

from generators.view import Pair, Prose, Side, Spans, View


def _side(name: str) -> Side:
    return Side(text=name, notes=(f"{name}_reward", f"{name}_verdict", f"{name}_malformed"))


VIEW = View(
    panels=(
        Prose(
            text="internal_thoughts",
            spans=Spans(starts="behaviour_starts", ends="behaviour_ends", kinds="behaviours"),
        ),
        Prose(text="external_solution"),
        Pair(chosen=_side("chosen"), rejected=_side("rejected")),
    ),
    facts=("verdict", "score", "scored_by", "difficulty", "topic"),
)
