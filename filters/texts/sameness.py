"""Whether two texts that share most of their words ask the same, sentences moved or not.

Shared runs of words are laid one over the other, in any order. What is left tells: other numbers in the same places,
an opposite or a negation, two roles exchanged, or a whole clause that says something else make another problem. Single
words that were reworded do not, nor do names that changed throughout.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz.distance import Levenshtein

from filters.texts.contrasts import is_small_word, negates, opposed
from filters.texts.words import figures, masked

_RUN = 3
_PLACES = 16
_MOST_WORDS = 1500
_MOST_PAIRS = 50_000_000
_CLAUSE = 5
_LONG_GAP = 8
_SMALL_WORDS = (
    "a an the of to in on at by for with from and or as it its is are was were be been he she they we i you his her "
    "their them him our your my this that these those there then so if has have had do does did will can which who "
    "what how many much s t"
)
_FUNCTION_WORDS = frozenset(_SMALL_WORDS.split())
_NO_VARIABLE = frozenset("ai")
_SIGNS = frozenset("+-*/^=<>%")
_Block = tuple[list[str], list[str]]


def same_problem(mine: list[str], other: list[str], *, mask: bool = False) -> bool:
    """Whether two whole texts, with many words in common, ask the same; with `mask`, numbers do not count."""
    if mask:
        mine, other = masked(mine), masked(other)
    if mine == other:
        return True
    laid = _laid_over(mine, other)
    if not mask and figures(laid) != figures(other):
        return False
    if _letters(renamed(laid, other)) != _letters(other):
        return False
    blocks = list(_blocks(laid, other))
    is_other_clause = any(
        min(len(here), len(there)) > 1 and max(len(here), len(there)) >= _CLAUSE for here, there in blocks
    )
    return not is_other_clause and not _tells(blocks, mine, other)


def holds_problem(text: list[str], item: list[str], *, mask: bool) -> bool:
    """Whether a text contains all of an item, apart from single words; with `mask`, numbers do not count."""
    mine, whole = (masked(item), masked(text)) if mask else (item, text)
    blocks = [
        (here, there if len(there) <= _LONG_GAP else [])
        for here, there in _blocks(_laid_over(mine, whole), whole, within=True)
    ]
    if any(len(here) >= _CLAUSE or Counter(_signs(here)) - Counter(_signs(there)) for here, there in blocks):
        return False
    return not _tells(blocks, mine, whole)


def _letters(words: Iterable[str]) -> list[str]:
    """The variables, in order."""
    return [word for word in words if len(word) == 1 and word.isalpha() and word.isascii() and word not in _NO_VARIABLE]


def _signs(words: Iterable[str]) -> list[str]:
    return [word for word in words if word in _SIGNS]


def renamed(mine: list[str], other: list[str]) -> list[str]:
    """`mine` with the names and things that `other` calls otherwise throughout: Ann for Mia, pears for apples."""
    names: dict[str, str] = {}
    unlike: set[str] = set()
    for here, there in _blocks(_laid_over(mine, other), other):
        for word, new in zip(here, there, strict=False) if len(here) == len(there) else ():
            if word == new or not word[-1].isalpha() or not new[-1].isalpha() or {word, new} & _FUNCTION_WORDS:
                continue
            if names.setdefault(word, new) != new:
                unlike.add(word)
    known, foreign, taken = set(mine), set(other), Counter(names.values())
    kept = {
        word: new
        for word, new in names.items()
        if word not in unlike and word not in foreign and new not in known and taken[new] == 1
    }
    return [kept.get(word, word) for word in mine] if kept else mine


def _tells(blocks: Sequence[_Block], mine: list[str], other: list[str]) -> bool:
    """Whether the words that differ make another problem."""
    changed = [_without_rewording(here, there) for here, there in blocks]
    gone = Counter(word for here, _ in changed for word in here)
    came = Counter(word for _, there in changed for word in there)
    if opposed((gone - came).elements(), (came - gone).elements()):
        return True
    known, foreign = ({word.removesuffix("s") for word in words} for words in (mine, other))
    pairs = [pair for here, there in blocks if len(here) == len(there) for pair in zip(here, there, strict=True)]
    return any(
        negates(word, new) or (_is_in(word, foreign) and _is_in(new, known) and _plays_a_role(word, new))
        for word, new in pairs
        if word.removesuffix("s") != new.removesuffix("s") and word[-1].isalpha() and new[-1].isalpha()
    )


def _without_rewording(here: list[str], there: list[str]) -> _Block:
    """The block without words for which a plain one stands: `more` for `nearby` opposes nothing."""
    if len(here) != len(there):
        return here, there
    pairs = [pair for pair in zip(here, there, strict=True) if is_small_word(pair[0]) == is_small_word(pair[1])]
    return [word for word, _ in pairs], [new for _, new in pairs]


def _is_in(word: str, singular: set[str]) -> bool:
    return word.removesuffix("s") in singular


def _plays_a_role(word: str, new: str) -> bool:
    """Whether neither is a word like `the`; `a` beside another letter is a variable."""
    return len(word) == len(new) == 1 or not {word, new} & _FUNCTION_WORDS


def _blocks(mine: list[str], other: list[str], *, within: bool = False) -> Iterator[_Block]:
    """The runs in which two texts differ; runs with one equal word between them are one.

    With `within`, what `other` has before and after all of `mine` is no difference.
    """
    if len(mine) * len(other) > _MOST_PAIRS:
        yield _leftovers(mine, other)
        return
    here: list[str] = []
    there: list[str] = []
    end = -2
    for code in Levenshtein.opcodes(mine, other):
        if code.tag == "equal" or (within and code.tag == "insert" and code.src_start in (0, len(mine))):
            continue
        if code.src_start - end > 1 and (here or there):
            yield here, there
            here, there = [], []
        here = here + mine[code.src_start : code.src_end]
        there = there + other[code.dest_start : code.dest_end]
        end = code.src_end
    if here or there:
        yield here, there


def _leftovers(mine: list[str], other: list[str]) -> _Block:
    """The words that either of two long texts has more often."""
    own, foreign = Counter(mine), Counter(other)
    return list((own - foreign).elements()), list((foreign - own).elements())


def _laid_over(mine: list[str], other: list[str]) -> list[str]:
    """The words of `mine`, with shared runs in the order in which `other` has them."""
    if max(len(mine), len(other)) > _MOST_WORDS:
        return mine
    tiles = sorted(_tiles(mine, other))
    starts = [0, *(start for start, _, _ in tiles[1:]), len(mine)] if tiles else [0, len(mine)]
    parts = {place: mine[starts[at] : starts[at + 1]] for at, (_, place, _) in enumerate(tiles)}
    return [word for place in sorted(parts) for word in parts[place]] if tiles else mine


def _tiles(mine: list[str], other: list[str]) -> Iterator[tuple[int, int, int]]:
    """Shared runs as (start in mine, start in other, length), longest first, each word used once."""
    used_here, used_there = bytearray(len(mine)), bytearray(len(other))
    for size, start, place in sorted(_runs(mine, other), key=lambda run: (-run[0], abs(run[1] - run[2]), run[1])):
        while size and (used_here[start] or used_there[place]):
            start, place, size = start + 1, place + 1, size - 1
        while size and (used_here[start + size - 1] or used_there[place + size - 1]):
            size -= 1
        if size >= _RUN and not any(used_here[start : start + size]) and not any(used_there[place : place + size]):
            used_here[start : start + size] = used_there[place : place + size] = b"\1" * size
            yield start, place, size


def _runs(mine: list[str], other: list[str]) -> Iterator[tuple[int, int, int]]:
    """Every longest shared run of at least three words as (length, start in mine, start in other)."""
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, gram in _grams(other):
        places[gram].append(place)
    for start, gram in _grams(mine):
        for place in places.get(gram, ())[:_PLACES]:
            if start and place and mine[start - 1] == other[place - 1]:
                continue
            size = _RUN
            end = min(len(mine) - start, len(other) - place)
            while size < end and mine[start + size] == other[place + size]:
                size += 1
            yield size, start, place


def _grams(words: list[str]) -> Iterable[tuple[int, tuple[str, ...]]]:
    return enumerate(zip(*(words[at:] for at in range(_RUN)), strict=False))
