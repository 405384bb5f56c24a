"""A response in segments, cut out of its token ids: what the policy wrote, and the triggers between.

The texts of the segments join to the text of the response, wherever a cut falls.
"""

from collections.abc import Sequence
from itertools import pairwise

from generators.engine.tokenizer import Tokenizer
from generators.sampling.steps import step_texts
from generators.self_correction_traces.records import Segment, SegmentKind


def segments(
    token_ids: Sequence[int], ends: Sequence[int], kinds: Sequence[SegmentKind], tokenizer: Tokenizer
) -> tuple[Segment, ...]:
    """The segments that end at `ends` (exclusive, in tokens)."""
    texts = step_texts(token_ids, ends, tokenizer)
    cuts = pairwise([0, *ends])
    return tuple(
        Segment(kind=kind, token_ids=tuple(token_ids[start:end]), text=text)
        for kind, text, (start, end) in zip(kinds, texts, cuts, strict=True)
    )
