"""The scores of a slice on disk: a pair's are read when it is tested, so that no slice is too large for the memory."""

import tempfile
from collections.abc import Sequence
from typing import IO, Any, overload
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from generators.critical_token_pairs.contrastive_scores import ContrastiveScores

Floats = NDArray[np.float64]
_BYTES = 8


class StoredScores(Sequence[ContrastiveScores]):
    """The scores of `n` sequences, 16 bytes a token, in a file without a name; it is gone with this object."""

    def __init__(self, n: int) -> None:
        self._places = [(0, 0)] * n
        self._end = 0
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as this object
        finalize(self, self._file.close)

    def add(self, number: int, scores: ContrastiveScores) -> None:
        """Write the scores of a sequence; raises OSError."""
        numbers = np.array([scores.scores, scores.log_ratios], dtype=np.float64)
        self._file.seek(self._end)
        self._file.write(numbers.tobytes())
        self._places[number] = self._end, numbers.shape[1]
        self._end += numbers.nbytes

    def log_ratios(self, number: int) -> Floats:
        """The log ratios of a sequence; the first token's is no number."""
        _, log_ratios = self._read(number)
        return log_ratios

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, number: int) -> ContrastiveScores: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[ContrastiveScores]: ...

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        scores, log_ratios = (values.tolist() for values in self._read(number))
        return ContrastiveScores((None, *scores[1:]), (None, *log_ratios[1:]))

    def _read(self, number: int) -> tuple[Floats, Floats]:
        start, length = self._places[number]
        self._file.seek(start)
        both = np.frombuffer(self._file.read(2 * _BYTES * length), dtype=np.float64)
        return both[:length], both[length:]
