"""A canvas of fixed width whose height is known at the end: boxes, lines, dots and texts, in pixels from above."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from releases.picturing.colours import Rgb
from releases.picturing.fonts import PER_INCH, SHARPNESS, UNKNOWN, Font, points
from releases.picturing.palette import reduced_png

WIDTH = 800
_ASCENT = 0.93


@dataclass(kw_only=True)
class Canvas:
    """What is drawn so far; `order` puts what is drawn later below what stands already."""

    ground: Rgb
    lacked_a_glyph: bool = False
    _artists: list[tuple[int, Any]] = field(default_factory=list)
    _colours: set[Rgb] = field(default_factory=set)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        face: Rgb | None = None,
        edge: Rgb | None = None,
        line: float = 1,
        radius: float = 0,
        order: int = 1,
    ) -> None:
        """A box, filled or framed, with round corners."""
        from matplotlib.patches import FancyBboxPatch

        self._colours |= {colour for colour in (face, edge) if colour}
        style = f"round,pad=0,rounding_size={radius}" if radius else "square,pad=0"
        self._add(order, FancyBboxPatch(
            (x, y), width, height, boxstyle=style, facecolor=face or "none", edgecolor=edge or "none",
            linewidth=points(line) if edge else 0,
        ))  # fmt: skip

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: Rgb, width: float = 1) -> None:
        """A straight line."""
        from matplotlib.lines import Line2D

        self._colours.add(colour)
        self._add(4, Line2D(
            (start[0], end[0]), (start[1], end[1]), color=colour, linewidth=points(width), solid_capstyle="butt"
        ))  # fmt: skip

    def dot(self, x: float, y: float, radius: float, face: Rgb, edge: Rgb) -> None:
        """A filled circle with a rim."""
        from matplotlib.patches import Circle

        self._colours |= {face, edge}
        self._add(5, Circle((x, y), radius, facecolor=face, edgecolor=edge, linewidth=points(1.5)))

    def write(self, x: float, y: float, text: str, font: Font, colour: Rgb) -> float:
        """One line of text whose top left corner is given; returns its right end."""
        from matplotlib.font_manager import FontProperties
        from matplotlib.text import Text

        self._colours.add(colour)
        seen = font.seen(text)
        self.lacked_a_glyph |= UNKNOWN in seen
        if seen.strip():
            properties = FontProperties(fname=str(font.path), size=font.points)
            self._add(3, Text(
                x, y + _ASCENT * font.px, seen, fontproperties=properties, color=colour, va="baseline",
                parse_math=False, usetex=False,
            ))  # fmt: skip
        return x + font.width(seen)

    def png(self, height: float) -> bytes:
        """The picture, byte for byte equal for equal drawings."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH / PER_INCH, height / PER_INCH), dpi=PER_INCH * SHARPNESS)
        figure.set_facecolor(self.ground)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(height, 0)
        for order, artist in sorted(self._artists, key=lambda placed: placed[0]):
            artist.set_zorder(order)
            axes.add_artist(artist)
        drawing = FigureCanvasAgg(figure)
        drawing.draw()
        return reduced_png(np.asarray(drawing.buffer_rgba())[:, :, :3], {self.ground, *self._colours})

    def _add(self, order: int, artist: Any) -> None:
        self._artists.append((order, artist))
