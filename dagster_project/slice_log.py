"""What a stage writes to the log of its asset; before the asset's turn in the run, its lines are kept."""

import logging
from dataclasses import dataclass, field


@dataclass(slots=True)
class SliceLog:
    """The log of one stage; `to` is that of its asset, None until its turn."""

    to: logging.Logger | None = None
    _kept: list[tuple[int, str]] = field(default_factory=list)

    def say(self, line: str) -> None:
        """Write a line."""
        self._write(logging.INFO, line)

    def warn(self, line: str) -> None:
        """Write a warning."""
        self._write(logging.WARNING, line)

    def note(self, line: str) -> None:
        """Write a line that is of use only at once, such as how far the work is."""
        if self.to is not None:
            self.to.info(line)

    def open(self, to: logging.Logger) -> None:
        """Write what was kept, and from now on every line at once."""
        self.to = to
        kept, self._kept = self._kept, []
        for level, line in kept:
            to.log(level, line)

    def _write(self, level: int, line: str) -> None:
        if self.to is None:
            self._kept.append((level, line))
        else:
            self.to.log(level, line)
