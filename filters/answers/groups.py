"""Groups equal answers by the checker's exact tiers, without algebra."""

from collections.abc import Sequence

from filters.answers.exact import compare_exactly
from filters.answers.verdicts import DEFAULT_RULE, AnswerRule, Verdict


def group_answers(answers: Sequence[str], rule: AnswerRule = DEFAULT_RULE) -> list[list[int]]:
    """The indices of equal answers, group by group, in the order of each group's first answer.

    An answer joins the first group whose first answer it equals. Answers that only algebra could show equal stay apart.
    """
    groups: list[list[int]] = []
    group_of: dict[str, list[int]] = {}
    for index, answer in enumerate(answers):
        if answer not in group_of:
            same = (g for g in groups if compare_exactly(answer, answers[g[0]], rule).verdict is Verdict.EQUAL)
            group = next(same, None)
            if group is None:
                groups.append(group := [])
            group_of[answer] = group
        group_of[answer].append(index)
    return groups
