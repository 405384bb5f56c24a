"""Which answers of several are the same one, as the verifier's exact tiers see it.

Knows nothing of problems or gold answers, and asks no algebra.
"""

from collections.abc import Sequence

from filters.answers.exact import compare_exactly
from filters.answers.verdicts import DEFAULT_RULE, AnswerRule, Verdict


def group_answers(answers: Sequence[str], rule: AnswerRule = DEFAULT_RULE) -> list[list[int]]:
    """The places of equal answers, group by group; groups stand in the order of their first answers.

    An answer joins the first group whose first answer it equals; what only algebra could call equal stays apart.
    """
    groups: list[list[int]] = []
    group_of: dict[str, list[int]] = {}
    for place, answer in enumerate(answers):
        if answer not in group_of:
            same = (g for g in groups if compare_exactly(answer, answers[g[0]], rule).verdict is Verdict.EQUAL)
            group = next(same, None)
            if group is None:
                groups.append(group := [])
            group_of[answer] = group
        group_of[answer].append(place)
    return groups
