"""The fonts of a row's picture, which matplotlib brings along: widths of characters, and which it can draw."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PER_INCH = 100  # pixels of the layout
SHARPNESS = 1.5  # pixels of the file for each pixel of the layout
UNKNOWN = "\N{WHITE SQUARE}"  # stands for a character that the font lacks
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")


@dataclass(frozen=True, slots=True)
class Font:
    """A typeface and its size in pixels."""

    px: float
    is_mono: bool = False
    is_bold: bool = False
    is_italic: bool = False

    @property
    def path(self) -> Path:
        """The font's file."""
        import matplotlib

        style = ("Bold" if self.is_bold else "") + ("Oblique" if self.is_italic else "")
        name = f"DejaVuSans{'Mono' if self.is_mono else ''}{'-' + style if style else ''}.ttf"
        return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name

    def width(self, text: str) -> float:
        """The width of a text in pixels."""
        return sum(_advance(self, character) for character in text)

    @property
    def points(self) -> float:
        """The size in points."""
        return points(self.px)

    def seen(self, text: str) -> str:
        """The text as it can be drawn: unseen characters as their codes, and a square for each one without a glyph."""
        known = _glyphs(self.path)
        return "".join(
            f"<{ord(one):04X}>" if _UNSEEN.match(one) else one if ord(one) in known else UNKNOWN for one in text
        )

    def lacks(self, text: str) -> bool:
        """Whether a character of the text has no glyph."""
        return UNKNOWN in self.seen(text.replace(UNKNOWN, ""))


SMALL = Font(11.5)
PLAIN = Font(13)
BOLD = Font(13.5, is_bold=True)
PROMPT = Font(15.5)
CODE = Font(13, is_mono=True)
CODE_SMALL = Font(11.5, is_mono=True)


def points(px: float) -> float:
    """Pixels of the layout in points."""
    return px * 72 / PER_INCH


@cache
def _glyphs(path: Path) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(path)).get_charmap())


@cache
def _face(font: Font) -> Any:
    from matplotlib.ft2font import FT2Font

    face = FT2Font(str(font.path))
    face.set_size(font.points, PER_INCH * SHARPNESS)
    return face


@cache
def _advance(font: Font, character: str) -> float:
    """The width of a character as it is drawn, which is hinted to whole pixels of the file."""
    from matplotlib.ft2font import LoadFlags

    glyph = _face(font).load_char(ord(character), flags=LoadFlags.FORCE_AUTOHINT)
    return float(glyph.horiAdvance) / 64 / SHARPNESS
