"""What the card of `process_labels` says of the dataset, whatever its rows are.

Knows no rows: whoever builds a release says whether a judge had its say.
"""

from dataclasses import replace

from releases.draft import About, Paper

_ABOUT = About(
    dataset="process_labels",
    pretty_name="Process labels by rollouts",
    summary=(
        "Solutions of problems with known answers, cut into steps. From the ends of steps the policy that wrote the "
        "solution went on; how many of these rollouts reached the right answer tells where the solution first went "
        "wrong and what each step is worth. The rows train process reward models."
    ),
    recipe=(
        "The policy attempts every problem, and each final answer is verified. A solution is cut into steps on token "
        "boundaries, and its exact token ids up to the end of a step are the prefix of that step's rollouts. The "
        "strategy, named in each row, decides from which steps how many rollouts start. Counts were measured; values, "
        "soundness, soft labels, hard labels and the first error are derived from them and can be derived again."
    ),
    limits=(
        "A label says whether this policy gets from the step to the right answer. A weak policy fails from sound "
        "steps, and at times recovers from faulty ones: the label is a value under the policy, no proof of the step.",
        "Values are estimates: read `values_low` and `values_high` beside each soft label. Under `sequential_test` "
        "many steps have no rollout of their own; what is said of them follows from the others and from the priors "
        "in the manifest.",
        "Only final answers are verified. A wrong derivation with a right answer counts as right.",
        "Solutions were chosen for labelling, right and wrong ones: their share of right answers is no pass rate.",
    ),
    papers=(
        Paper(
            authors="Wang et al.",
            title="Math-Shepherd: Verify and Reinforce LLMs Step-by-step without Human Annotations",
            year=2023,
            arxiv="2312.08935",
        ),
        Paper(
            authors="Zheng et al.",
            title="ProcessBench: Identifying Process Errors in Mathematical Reasoning",
            year=2024,
            arxiv="2412.06559",
        ),
    ),
    task_categories=("text-classification",),
    tags=("math", "reasoning", "process-supervision", "stepwise-supervision", "synthetic"),
)

_JUDGED = (
    "A model, named in `judge`, read each solution without the answer and named its first wrong step. The config "
    "`consensus` holds the solutions on whose first error, or on whose having none, labels and judge agree: the "
    "consensus filter of Zhang et al. (2025)."
)
_CONSENSUS = Paper(
    authors="Zhang et al.",
    title="The Lessons of Developing Process Reward Models in Mathematical Reasoning",
    year=2025,
    arxiv="2501.07301",
)


def about(*, judged: bool) -> About:
    """The text of a release, with the judge's part where one had its say."""
    if not judged:
        return _ABOUT
    return replace(_ABOUT, recipe=f"{_ABOUT.recipe} {_JUDGED}", papers=(*_ABOUT.papers, _CONSENSUS))
