"""Split a solution into steps: a step is a non-blank line, and ends at a token boundary.

Blank lines belong to the step before them, the end-of-text token to the last step.
"""

from collections.abc import Sequence

from generators.engine.tokenizer import Tokenizer

SEPARATOR = "\n"


def step_ends(token_ids: Sequence[int], tokenizer: Tokenizer) -> tuple[int, ...]:
    """The ends (exclusive, in tokens) of the steps of a solution; the last one is `len(token_ids)`.

    Every step has visible text. A token that holds a line's end and the text after it goes to the earlier step.
    """
    ends: list[int] = []
    seen_text = False
    line_ended = False
    for position, token_id in enumerate(token_ids):
        piece = tokenizer.piece(token_id)
        blank = not piece.strip()
        if line_ended and not blank:
            ends.append(position)
            seen_text = line_ended = False
        seen_text = seen_text or not blank
        line_ended = seen_text and (line_ended or SEPARATOR in piece)
    if seen_text:
        ends.append(len(token_ids))
    elif ends:
        ends[-1] = len(token_ids)
    return tuple(ends)


def step_texts(token_ids: Sequence[int], ends: Sequence[int], tokenizer: Tokenizer) -> tuple[str, ...]:
    """The text of each step; joined, they are the text of the solution."""
    lengths = [len(tokenizer.decode(token_ids[:end])) for end in ends]
    text = tokenizer.decode(token_ids)
    return tuple(text[start:end] for start, end in zip([0, *lengths], lengths, strict=False))
