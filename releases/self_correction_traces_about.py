"""What the card of `self_correction_traces` says of the dataset, whatever its rows are.

Knows no rows.
"""

from releases.draft import About, Paper

ABOUT = About(
    dataset="self_correction_traces",
    pretty_name="Self-correction traces, wrong before the trigger and right behind it",
    summary=(
        "Responses of a policy that go wrong, come upon a sentence that sends them back to what they wrote (the "
        "trigger), and end right. The answer up to every trigger and at the end is verified, and what is not to be "
        "learnt is marked. The rows train a model to notice a mistake and to mend it, by SFT."
    ),
    recipe=(
        "`sampled` rows come of iterative-deepening sampling: a response begins as an attempt at the problem, its "
        "budget of tokens grows, and behind each budget, or behind a response that ended itself where the settings say "
        "so, a trigger is put and the policy goes on from its own tokens. A row ends with the first right answer, and "
        "the answer before the last trigger is wrong. `composed` rows are put together: an attempt up to its first "
        "wrong step, which rollouts have found, and at times some steps more; a trigger; and a continuation by the "
        "policy from the last good prefix, whose answer is verified on the whole text. Under the mask `mistake` what "
        "was written before the last trigger is not to be learnt, save the good beginning where the first wrong step "
        "is known; under `attempt` all of it, earlier triggers too; under `none` nothing is masked."
    ),
    limits=(
        "`input_ids` of `sft` are the policy's own, worked examples before the problem included where its source has "
        "some. For a model with another tokenizer take `messages` (they hold no examples) and mask the characters from "
        "`masked_starts` to `masked_ends` of the last one.",
        "TRL cuts rows at `max_length` (1,024 tokens unless set) from the end, where the correction stands: set it "
        "above the longest row. `labels` are used as they are; packing and other losses may not.",
        "A weak policy's corrections are often no insight: it does the problem again and is luckier. Compare how often "
        "triggers break right answers with how often they mend wrong ones in the table of transitions.",
        "The triggers are a handful of sentences: a model that is trained on them learns to go on well behind them, "
        "and where to put them only as far as composed rows show it.",
        "A composed row was never written in one go: the continuation does not know of the mistake before it, nor of "
        "the trigger.",
        "Only final answers are verified. A wrong derivation with a right answer counts as right.",
        "Rows were chosen for being mended: their share among the responses is in the yields, not in the rows.",
    ),
    papers=(
        Paper(
            authors="Chen, Koenig and Dilkina",
            title="Iterative Deepening Sampling as Efficient Test-Time Scaling",
            year=2025,
            arxiv="2502.05449",
        ),
    ),
    task_categories=("text-generation",),
    tags=("math", "reasoning", "self-correction", "sft", "synthetic"),
)
