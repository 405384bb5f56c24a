"""What the card of `long_cot_traces` says of the dataset, whatever its rows are."""

from releases.draft import About, Paper

ABOUT = About(
    dataset="long_cot_traces",
    pretty_name="Long chains of thought, bootstrapped and verified",
    summary=(
        "A problem, how a policy thought about it, and the solution that it gave: internal thoughts with plans, checks "
        "and changes of mind, then an external solution for a reader who does not see them. `messages` is ready for "
        "supervised fine-tuning. The config `pairs` sets the best of the policy's answers to a problem against the "
        "worst, for online DPO."
    ),
    recipe=(
        "A policy that was never trained to think aloud is shown a few worked examples that do (BOLT). Problems are "
        "chosen by the policy's pass rate, or where a judge rates them by seven criteria and a topic. Each one is "
        "answered several times, the thoughts between tags. Where the settings say so, an answer that ended inside of "
        "its thoughts gets the closing tag from the recipe, and the policy writes the solution behind it "
        "(`thoughts_closed_by`). A sample that is not in thoughts and solution, runs in circles or repeats a passage "
        "of a worked example is dropped; then one whose solution is wrong, or scores "
        "below a percentile of a reward model's scores where the problem has no answer. Only the solution is judged. "
        "Of what is left the best sample of each problem becomes the row, the first one among equals. Behaviours are "
        "counted by rules on the words of the thoughts, with their places, and where the settings say so by a judge "
        "too, without places (`judge_n_*`). A pair is the sample of highest reward "
        "against that of lowest, a reward being the score and, where the policy closed its thoughts itself, what the "
        "format is worth; "
        "ties are dropped, and no chosen side is wrong by the verifier. What follows from other columns (scores, "
        "messages, behaviours, rewards) is derived again before a release."
    ),
    limits=(
        "Thoughts are never judged: a row may reach a right solution by wrong or idle thoughts.",
        "Only final answers are verified. A wrong derivation with a right answer counts as right.",
        "The rules find behaviours by English cues, so their counts are lower bounds; a thought may do a thing without "
        "saying so, or say that it checks without checking.",
        "The policy saw worked examples that the rows leave out: `messages` and `pairs` ask the bare problem. Under "
        "that prompt the answers are not exactly on-policy, unless `prompt_token_ids` say that it was shown none.",
        "Where `thoughts_closed_by` is `recipe` the policy did not know where to end its thoughts: the tag's tokens, "
        "`closing_token_start` to `closing_token_end` of `token_ids`, are not its own.",
        "A small policy imitates the examples' layout: their manner of checking is its own only in part.",
        "Problems that the policy never solves have no row: the rows are easier than the source.",
    ),
    papers=(
        Paper(
            authors="Pang et al.",
            title="BOLT: Bootstrap Long Chain-of-Thought in Language Models without Distillation",
            year=2025,
            arxiv="2502.03860",
        ),
        Paper(
            authors="Gandhi et al.",
            title="Cognitive Behaviors that Enable Self-Improving Reasoners",
            year=2025,
            arxiv="2503.01307",
        ),
    ),
    task_categories=("text-generation",),
    tags=("math", "reasoning", "chain-of-thought", "sft", "dpo", "synthetic"),
)
