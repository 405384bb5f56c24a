"""A wrong solution token by token: a tree of its own, with a node at every token of the response or of one step.

Prefixes are token ids, so a token that ends inside a character is a node like any other. The tree is separate from that
of the labels, where a prefix is one node however it was reached. Its root takes over the outcomes that the labels know
of the same prefix.
"""

from collections.abc import Sequence

from generators.engine.tokenizer import Tokenizer
from generators.records import Attempt, LabelledSolution
from generators.search.strategy import Path
from generators.search.tree import Outcome, Tree
from generators.tokens import Ids

Span = tuple[int, int]  # the first token of a part of the response, and the first one after it


def token_path(labels: Tree, attempt: Attempt, span: Span, tokenizer: Tokenizer) -> tuple[Tree, Path]:
    """The prefixes that end with each token of `span`, below the prompt and the tokens before the span.

    `labels` is the tree of the problem's process labels. A path to the end of the response ends with the attempt's own
    outcome. Raises ValueError for a span outside the response.
    """
    start, end = span
    if not 0 <= start < end <= len(attempt.token_ids):
        raise ValueError(f"span must lie within the {len(attempt.token_ids)} tokens of the response, got {span}")
    prefix, tokens = attempt.prompt_token_ids + attempt.token_ids[:start], attempt.token_ids[start:end]
    tree = Tree(labels.problem_id, prefix)
    tree.root.outcomes |= known_outcomes(labels, prefix)
    path = tree.path(tokens, range(1, len(tokens) + 1), [tokenizer.piece(token_id) for token_id in tokens])
    if end == len(attempt.token_ids):
        path[-1].is_end, path[-1].own_outcome = True, attempt.verdict.is_right
    return tree, path


def known_outcomes(labels: Tree, prefix: Ids) -> dict[int, Outcome]:
    """The outcomes of the labels' rollouts from a prefix by index; empty if their tree has no such node."""
    return next((dict(node.outcomes) for node in labels if node.prefix == prefix), {})


def first_error_shares(sound: Sequence[float]) -> tuple[float, ...]:
    """The probability that each step is the first wrong one, from the probability that nothing up to it is wrong."""
    return tuple(before - here for before, here in zip((1.0, *sound), sound, strict=False))


def wrong_step(solution: LabelledSolution) -> Span | None:
    """The tokens of the most probable first wrong step of a labelled solution.

    None if it is most probable that no step is wrong, and where the strategy gives no probabilities.
    """
    return None if solution.sound is None else likely_wrong_step(solution.sound, solution.step_ends)


def likely_wrong_step(sound: Sequence[float], step_ends: Sequence[int]) -> Span | None:
    """The tokens of the most probable first wrong step; `sound` are probabilities that nothing up to a step is wrong.

    None if it is more probable that no step is wrong.
    """
    shares = first_error_shares(sound)
    step = max(range(len(shares)), key=shares.__getitem__)
    return None if shares[step] < sound[-1] else step_span(step, step_ends)


def step_span(step: int, step_ends: Sequence[int]) -> Span:
    """The tokens of one step."""
    return (0, *step_ends)[step], step_ends[step]
