"""The simulated policy's tokenizer: numbers, the policy's own words and every other character are single tokens.

Every text can be encoded, and the pieces of its ids join to the text.
"""

import re
from collections.abc import Sequence

from filters.texts.thoughts import DEFAULT_TAGS
from generators.engine.simulated.statement import MODULUS
from generators.engine.tokenizer import Message

EOS, SYSTEM, USER, ASSISTANT = range(4)
ROLES = {"system": SYSTEM, "user": USER, "assistant": ASSISTANT}
SPECIAL = {"<eos>": EOS} | {f"<{role}>": token_id for role, token_id in ROLES.items()}
FILLER_WORDS = (" now", " then", " so", " next", " thus", " again", " here", " carefully")
_NUMERALS = tuple(str(value) for value in range(MODULUS))
_WORDS = (
    *("\n", "\\boxed{", "}", "Adding", " gives"),
    *FILLER_WORDS,
    *("Start", " with", ".", " Add", " Give", " the", " total", " modulo", " 100", " answer", " step", " by", " "),
)
_TABLE = (*_WORDS, *(f" {numeral}" for numeral in _NUMERALS), *_NUMERALS)
_FIRST_WORD = len(ROLES) + 1
_FIRST_CHARACTER = _FIRST_WORD + len(_TABLE)  # ids from here on are code points
_N_CHARACTERS = 0x110000
_IDS = {word: token_id for token_id, word in enumerate(_TABLE, start=_FIRST_WORD)}
_NUMBER = " ?(?:[1-9][0-9]?|0)"  # one pattern instead of two hundred words, since encoding tries them in turn
_ONE_TOKEN = re.compile(
    "|".join([*map(re.escape, sorted(_WORDS[:-1], key=len, reverse=True)), _NUMBER, "."]), re.DOTALL
)

VOCABULARY_SIZE = _FIRST_CHARACTER + _N_CHARACTERS
NEWLINE, BOX_OPEN, BOX_CLOSE, ADDING, GIVES = (_IDS[word] for word in ("\n", "\\boxed{", "}", "Adding", " gives"))
FILLERS = tuple(_IDS[word] for word in FILLER_WORDS)
SPACED = tuple(_IDS[f" {numeral}"] for numeral in _NUMERALS)
BARE = tuple(_IDS[numeral] for numeral in _NUMERALS)
VALUES = {token_id: value for numbers in (SPACED, BARE) for value, token_id in enumerate(numbers)}


# The opening tag of thoughts, and what the policy writes after them; neither holds any of its words.
OPENING, CLOSING = (
    tuple(_IDS.get(letter, _FIRST_CHARACTER + ord(letter)) for letter in tag)
    for tag in (DEFAULT_TAGS.opening, f"{DEFAULT_TAGS.closing}\n\n")
)


def is_letter(token_id: int) -> bool:
    """Whether a token is a single letter, as in text that is not one of the policy's own words."""
    return token_id >= _FIRST_CHARACTER and chr(token_id - _FIRST_CHARACTER).isalpha()


class _Pieces(dict[int, str]):
    """The text of every id; characters are decoded on lookup."""

    def __missing__(self, token_id: int) -> str:
        if not 0 <= token_id < VOCABULARY_SIZE:
            raise ValueError(f"token_id must be from 0 to {VOCABULARY_SIZE - 1}, got {token_id}")
        return chr(token_id - _FIRST_CHARACTER)


_SPECIAL = re.compile(f"({'|'.join(SPECIAL)})")
_NAMES = {token_id: name for name, token_id in SPECIAL.items()}
_PIECES = _Pieces(dict.fromkeys(range(_FIRST_WORD), "") | {token_id: word for word, token_id in _IDS.items()})


class SimulatedTokenizer:
    """A `generators.engine.tokenizer.Tokenizer`."""

    name = "simulated"
    vocabulary = VOCABULARY_SIZE

    def encode(self, text: str) -> tuple[int, ...]:
        """Ids whose pieces join to `text`, preferring the longest known word; never a special token."""
        ids = _IDS
        return tuple(ids[word] if word in ids else _FIRST_CHARACTER + ord(word) for word in _ONE_TOKEN.findall(text))

    def chat(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """The role's token before each message, then the assistant's token; an unknown role raises ValueError."""
        ids: list[int] = []
        for message in messages:
            if message["role"] not in ROLES:
                raise ValueError(f"role must be one of {', '.join(ROLES)}, got {message['role']!r}")
            ids += (ROLES[message["role"]], *self.encode(message["content"]))
        return (*ids, ASSISTANT)

    def decode(self, token_ids: Sequence[int]) -> str:
        return "".join(map(_PIECES.__getitem__, token_ids))

    def encode_whole(self, text: str) -> tuple[int, ...]:
        """Ids of a text in which special tokens are written by name; none is added."""
        parts = _SPECIAL.split(text)
        return tuple(i for part in parts for i in ((SPECIAL[part],) if part in SPECIAL else self.encode(part)))

    def decode_whole(self, token_ids: Sequence[int]) -> str:
        return "".join(_NAMES.get(token_id) or _PIECES[token_id] for token_id in token_ids)

    def piece(self, token_id: int) -> str:
        return _PIECES[token_id]

    def pieces(self, token_ids: Sequence[int]) -> list[str]:
        return list(map(_PIECES.__getitem__, token_ids))
