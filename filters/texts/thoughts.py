"""Parses a text into thoughts between tags and the solution after them, or gives the reason why it cannot."""

from dataclasses import dataclass

TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """The tags around the thoughts."""

    opening: str = "<think>"
    closing: str = "</think>"

    def __post_init__(self) -> None:
        for field in ("opening", "closing"):
            if not getattr(self, field) or getattr(self, field) != getattr(self, field).strip():
                raise ValueError(f"{field} must be a tag without white space around it, got {getattr(self, field)!r}")
        if self.opening in self.closing or self.closing in self.opening:
            raise ValueError(f"opening must differ from closing ({self.closing!r}), got {self.opening!r}")

    def join(self, thoughts: str, solution: str) -> str:
        """Thoughts and solution as one text, the inverse of `parse`."""
        return f"{self.opening}\n{thoughts.strip()}\n{self.closing}\n\n{solution.strip()}"


DEFAULT_TAGS = Tags()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """Thoughts and solution of a well-formed text, or only the `reason` of a malformed one."""

    thoughts: str | None = None
    solution: str | None = None
    reason: str | None = None


def parse(text: str, *, tags: Tags = DEFAULT_TAGS, truncated: bool = False) -> Parsed:
    """Split a text into thoughts and solution; a truncated one fails with `truncated`, whatever it contains."""
    reason = TRUNCATED if truncated else _fault(text, tags)
    if reason:
        return Parsed(reason=reason)
    before, _, rest = text.partition(tags.opening)
    thoughts, _, solution = (part.strip() for part in rest.partition(tags.closing))
    if before.strip():
        return Parsed(reason="text_before_thoughts")
    if not thoughts:
        return Parsed(reason="empty_thoughts")
    if not solution:
        return Parsed(reason="empty_solution")
    return Parsed(thoughts=thoughts, solution=solution)


def are_open(text: str, *, tags: Tags = DEFAULT_TAGS) -> bool:
    """Whether a text ends inside its thoughts, with some thoughts written."""
    before, opening, thoughts = text.partition(tags.opening)
    return bool(opening) and tags.closing not in text and bool(thoughts.strip()) and not before.strip()


def _fault(text: str, tags: Tags) -> str | None:
    """The reason why the tags are malformed, or None."""
    if tags.opening not in text:
        return "no_opening_tag"
    if tags.closing not in text:
        return "no_closing_tag"
    if text.count(tags.opening) > 1 or text.count(tags.closing) > 1:
        return "repeated_tags"
    return "tags_out_of_order" if text.index(tags.closing) < text.index(tags.opening) else None
