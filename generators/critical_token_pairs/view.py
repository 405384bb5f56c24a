"""How a pair is drawn: both solutions in tokens shaded by weight, and the tested tokens with their rollouts."""

from generators.view import Counts, Pair, Side, Tested, Tokens, View


def _tokens(side: str, tested: Tested | None = None) -> Tokens:
    return Tokens(
        ids=f"{side}_token_ids",
        weights=f"{side}_weights",
        start="response_start",
        tokenizer="tokenizer",
        tested=tested,
    )


def _arm(name: str) -> Counts:
    return Counts(share=f"critical_value_{name}", n_right=f"critical_n_{name}_correct", n=f"critical_n_{name}")


TESTED = Tested(
    positions="critical_positions",
    confirmed="critical_confirmed",
    nominated_by="critical_nominated_by",
    kept=_arm("with"),
    replaced=_arm("without"),
)
VIEW = View(
    panels=(
        Pair(
            chosen=Side(text="chosen", tokens=_tokens("chosen")),
            rejected=Side(text="rejected", tokens=_tokens("rejected", TESTED)),
        ),
    ),
    facts=("n_attempts_right", "n_attempts"),
)
