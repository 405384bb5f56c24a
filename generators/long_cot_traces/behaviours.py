r"""Behaviours in a train of thought, by its words: it verifies, turns back, sets sub-goals, reasons back from the goal.

The four behaviours are those of arXiv 2503.01307. Rules on English words find them, so a count is a lower bound: a
thought may do a thing without saying so. The content of `\boxed{}` is no thought.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

VERSION = "1"  # bump when a change here would change the counts

Kind = Literal["verification", "backtracking", "subgoal_setting", "backward_chaining"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_ME = (
    r"(?:let me|let us|let's|i(?:'ll| will| can| should| want to| need to| have to)?|we(?:'ll| can| should| need to)?)"
)
_ADVERB = r"(?:(?:just|also|now|quickly|first|then|again|really|still) )?"
_START = r"(?:^[ \t]*(?:[-*] )?|(?<=[.!?:;(,…—] )|(?<=[.!?:;(,…—])|(?<=\bbut )|(?<=\bso )|(?<=\band ))"  # of a clause
_TURN = r"(?=\s*(?:[,.!:;…—–-]|$|(?:i|no|that|this|there|what|which)\b))"
_VERIFY = (
    r"(?:(?:double|cross|sanity)[- ]?check|check(?! in\b)|verify|confirm|make sure|test|re-?compute|try the method)"
)

_CUES: dict[Kind, tuple[str, ...]] = {
    "verification": (
        rf"\b{_ME} {_ADVERB}{_VERIFY}\b",
        rf"{_START}(?:check|verify|verifying|checking|verification|(?:a )?(?:sanity|double|cross|quick)[- ]check)\b"
        r"(?=\s*(?:[:,]|(?:of|that|this|whether|by|with|backwards?|the (?:result|answer|sum|work|steps?))\b))",
        r"\b(?:plug|plugging|substitute|substituting) (?:(?:it|this|that|them|the \w+) )?back in(?:to)?\b",
        r"\b(?:it|this|that|everything|each step|every step|the result|which)(?: all)? "
        r"(?:checks out|adds up|(?:fits|agrees|is consistent)(?=\s*(?:[.,;!]|$)))",
        r"\bdoes (?:it|that|this) (?:make sense|fit|hold|add up|check out)\b",
        r"\b(?:to|as a) (?:double-?check|verification|sanity check)\b",
    ),
    "backtracking": (
        rf"{_START}(?:wait|hmm+|hold on|oops|no wait){_TURN}",
        rf"{_START}actually, (?:no|wait|that|this|i)\b",
        r"\b(?:that|this|it|which|so it) (?:is|was|must be) (?:wrong|not right|incorrect|a mistake|impossible)\b",
        r"\b(?:that|this|it)(?:'s| is| was) not (?:right|correct|possible)\b",
        r"\b(?:that|this|it) (?:does not|doesn't|didn't|won't|will not|cannot|can't) "
        r"(?:work|be right|be true)\b",
        r"\b(?:that|this|it)(?:'s| is) (?:wrong|impossible|a contradiction|a dead end)\b",
        r"\bi (?:made|see|found|spot|spotted|notice) (?:a|an|my|the) (?:mistake|error|slip)\b",
        r"\b(?:let me|let us|let's|i (?:have to|must|need to|should|will|'ll)|i'll|so i) (?:\w+ )?"
        r"(?:start over|start again|go back|begin again|backtrack|try again|redo|rethink|reconsider|"
        r"try (?:another|a different)|undo|take a step back)\b",
        rf"{_START}(?:back to the start|backtrack(?:ing)?|scrap that|never mind|once more, from)\b",
    ),
    "subgoal_setting": (
        r"\b(?:the|my|a|our) plan(?: is|:| would be)",
        r"\b(?:sub-?goals?|sub-?problems?|sub-?tasks?)\b",
        rf"{_START}(?:step|part|goal) [0-9]+ ?[:.)]",
        rf"{_START}(?:first|firstly|second|secondly|third|thirdly|next|then|after that|finally|for that),? "
        r"(?:i|we|let me|let us|let's|i'll|we'll)(?: will| need to| have to| must| should| want to| can)?"
        r" (?:find|compute|calculate|count|work out|determine|get|solve|look|show|list|need)\b",
        rf"\b{_ME} (?:first|start by|begin by|begin with|start with)\b",
        r"\b(?:break|split|cut) (?:it|this|that|the (?:problem|task|question|sum|work)) (?:down )?(?:in|into|up)\b",
        r"\bto get (?:these|those|both|there)(?: \w+)? (?:i|we) (?:need|have) to\b",
    ),
    "backward_chaining": (
        r"\b(?:work|working|worked|reason|reasoning|go|going|walk|walking) (?:back(?:wards?)?) from\b",
        r"\b(?:work|working|reason|reasoning) backwards?\b",
        r"\bfrom the (?:goal|end|answer|target|result|desired result|wanted result)\b(?! of)",
        r"\bto (?:get|reach|find|obtain|arrive at|end (?:up )?with|have|finish|make|show|prove) [^.!?\n,;]{1,60},? "
        r"(?:i|we)(?:'d| would)? (?:need(?! to)|must (?:have|know))\b",
        r"\bfor (?:this|that|it) to (?:hold|be|work|happen)[^.!?\n,;]{0,40}, [^.!?\n]{1,60} "
        r"(?:must|has to|have to|needs? to)\b",
        r"\bwhat (?:would|do|must|does) (?:i|we|it) (?:need|have to have|take) (?:for|to)\b",
    ),
}
_PATTERNS = {kind: [re.compile(cue, re.IGNORECASE | re.MULTILINE) for cue in cues] for kind, cues in _CUES.items()}
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)|\n+")
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A part of a text, `text[start:end]`, that shows a kind of behaviour."""

    kind: Kind
    start: int
    end: int


def behaviours(text: str) -> tuple[Behaviour, ...]:
    """The behaviours in a text in the order in which they begin.

    Cues of the same kind in one sentence, or in neighbouring sentences, are a single behaviour from the first to the
    last cue: "Wait. That is wrong." turns back once.
    """
    readable = _without_boxes(text.replace("’", "'"))
    ends = [match.start() for match in _SENTENCE_END.finditer(readable) if readable[: match.start()].strip()]
    unsorted = [behaviour for kind in KINDS for behaviour in _merged(kind, _cues(kind, readable), ends)]
    return tuple(sorted(unsorted, key=lambda behaviour: (behaviour.start, KINDS.index(behaviour.kind))))


def count_behaviours(shown: Sequence[Behaviour]) -> dict[Kind, int]:
    """How often each kind shows; 0 where it does not."""
    return {kind: sum(behaviour.kind == kind for behaviour in shown) for kind in KINDS}


def _cues(kind: Kind, text: str) -> list[tuple[int, int]]:
    return sorted(match.span() for pattern in _PATTERNS[kind] for match in pattern.finditer(text))


def _merged(kind: Kind, cues: Sequence[tuple[int, int]], ends: Sequence[int]) -> list[Behaviour]:
    merged: list[tuple[int, int, int]] = []
    for start, end in cues:
        sentence = bisect_left(ends, start)
        if merged and sentence - merged[-1][2] <= 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end), sentence)
        else:
            merged.append((start, end, sentence))
    return [Behaviour(kind, start, end) for start, end, _ in merged]


def _without_boxes(text: str) -> str:
    r"""The text with blanks instead of each `\boxed{}`, at the same length; an open box reaches to the end."""
    done = 0
    parts = []
    while (box := _BOX.search(text, done)) is not None:
        end = _closing(text, box.end())
        parts += [text[done : box.start()], " " * (end - box.start())]
        done = end
    return "".join([*parts, text[done:]])


def _closing(text: str, start: int) -> int:
    depth = 1
    for index in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return index + 1
    return len(text)
