"""What a reader must know of `critical_token_pairs`, whatever the version. Knows no rows."""

from releases.draft import About, Paper

ABOUT = About(
    dataset="critical_token_pairs",
    pretty_name="Critical-token pairs, confirmed by rollouts",
    summary=(
        "A right and a wrong solution of a problem by the same policy, token by token, with a weight on every token: "
        "how little right solutions would go on with it, where wrong ones would. In the wrong solution the token that "
        "loses it is tested by rollouts with it and without it. The rows train cDPO."
    ),
    recipe=(
        "Of each problem the chosen solution has the right answer and the rejected one the most frequent wrong answer. "
        "Two adapters of the policy learn from right and from wrong solutions, others than those of the pair where "
        "there are others. The score of a token is its probability under softmax((1 + beta) * positive - beta * "
        "negative) of their logits over the whole vocabulary. A token of the rejected solution weighs 1 less its "
        "score, the end-of-text token 1, the prompt 0; every token of the chosen solution weighs 1. The lowest scores "
        "nominate tokens, and so does a search by rollouts from single tokens, which begins in the first wrong step of "
        "the process labels where there are some. Each nominee is tested, from the first on: rollouts behind it, and "
        "rollouts behind another token that the policy draws in its place. It is confirmed when the posterior is sure "
        "that the first end right less often than `never` and the others at least with `least` (in the settings). "
        "What nominated a token is no part of its confirmation, and behind a confirmed token nothing is tested. "
        "Weights follow from scores and confirmations from counts; both are derived again before a release.\n\n"
        "To train, multiply each token's log(pi / pi_ref) of the rejected side by `rejected_weights` and of the chosen "
        "side by `chosen_weights`, sum over the tokens of either side, and take -logsigmoid(beta * (chosen - "
        "rejected)). The weights belong to the stored token ids: train on those, or on `exports/*.CE_scored.json` with "
        "the trainer that the paper's authors published. No option of TRL's DPOTrainer takes weights by token."
    ),
    limits=(
        "That trainer differs from the paper: it takes the sigmoid at every position, of two solutions that have "
        "nothing to do with each other there, and averages over all positions; the paper sums over the tokens first. "
        "For models whose name holds Qwen it shifts the weights by one, for a token that it puts in front.",
        "The exports hold the rows whose `templated_prompt` with either solution gives the stored ids back "
        "(`is_stable`).",
        "A score runs over the whole vocabulary: a token that both models are sure of may score low where another, "
        "which both find all but impossible, has a greater ratio. So scores nominate, and rollouts decide.",
        "`critical_confirmed` speaks of this policy: a token loses the solution if the policy hardly ever recovers "
        "from it. A weak policy loses solutions at tokens that a stronger one would mend.",
        "At most one token of a solution is confirmed, and in many none: the nominees may all be wrong, or the budget "
        "may not suffice to be sure.",
        "Where the scores come from a simulated law instead of two adapters, `positive_model` says so.",
    ),
    papers=(
        Paper(
            authors="Lin et al.",
            title="Critical Tokens Matter: Token-Level Contrastive Estimation Enhances LLM's Reasoning Capability",
            year=2024,
            arxiv="2411.19943",
        ),
    ),
    task_categories=("text-generation",),
    tags=("math", "reasoning", "preference", "dpo", "cdpo", "critical-tokens", "synthetic"),
)
