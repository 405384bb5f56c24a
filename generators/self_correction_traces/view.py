"""How a self-correction is drawn: attempts and triggers in turn, with the masked mistakes struck."""

from generators.view import Spans, Turns, View

VIEW = View(
    panels=(
        Turns(
            parts="attempts",
            between="triggers",
            verdicts="verdicts",
            answers="answers",
            masked=Spans(starts="masked_starts", ends="masked_ends"),
        ),
    ),
    facts=("origin", "n_triggers", "tokens"),
)
