"""Tells sentences about how to answer from the problem itself: `Please reason step by step.` belongs to no problem.

A sentence is an instruction if all of its words are about answering and it has no number.
"""

from filters.texts.respelling import comparable_sentences

# A sentence with none of these says nothing about the answer.
_CORE_WORDS = (
    "answer answers response boxed step steps reasoning reason think thinking thoughts explain explanation solution "
    "problem problems question questions assistant instruction instructions format options choices justify work "
    "推 步 答 题"
)
_OTHER_WORDS = (
    "a an the of your you to in on at by for with within without and or as it its is are be been should must will "
    "would can please kindly then after before last line lines form own remember put give provide write show output "
    "present enclose enclosed inside using use return state respond concluding conclude end ending start begin "
    "beginning only just any each every this that these following math mathematical mathematics maths final first "
    "carefully clearly concisely concise full fully complete completely detailed correct correctly letter letters "
    "number numeric numerical value result simplest exact common terms latex quotes box brackets tags tag "
    "below above here given where which let us lets s i e g through solve find user user's asks process respectively "
    "mind provides thinks thought helpful expert very careful teacher tutor student conversation between describes "
    "task tasks appropriately completes request paired input further context choose select option choice multiple "
    "pick letting make sure ensure do not don no nothing else extra text words word but also when how what there have "
    "has take time logically logical structured clear rigorous all intermediate calculation calculations details "
    "detail human based from among into out so like e.g therefore ai now need needs system prompt hi hello thanks "
    "thank much indeed ever advance me my q brief briefly simple short single inclusive included including"
)
_CORE = frozenset(_CORE_WORDS.split())
_WORDS = _CORE | frozenset(_OTHER_WORDS.split())
_LABELS = frozenset(["problem", "question", "answer", "step"])  # "Problem 3."
_LABEL = 2
_CJK_MARKS = ("boxed", "一步一步", "一步步", "逐步", "最终答案", "完成下面")


def without_instructions(text: str) -> list[str]:
    """The comparable words of a text, without instructions; with them if there is nothing else."""
    sentences = comparable_sentences(text)
    problem = [word for sentence in sentences if not _instructs(sentence) for word in sentence]
    return problem or [word for sentence in sentences for word in sentence]


def _instructs(sentence: list[str]) -> bool:
    if _CORE.isdisjoint(sentence):
        return False
    if any(token[0].isdigit() for token in sentence):
        return len(sentence) == _LABEL and sentence[0] in _LABELS
    return all(word in _WORDS or not word[-1].isalpha() for word in sentence) or _is_told("".join(sentence))


def _is_told(sentence: str) -> bool:
    return not sentence.isascii() and any(mark in sentence for mark in _CJK_MARKS)
