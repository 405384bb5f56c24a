"""Draws a dataset's pictures as PNG, without a display and byte for byte equal for equal rows."""

from dataclasses import dataclass
from io import BytesIO

from generators.dataset import Picture
from generators.rows import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPicture:
    """A PNG with name and caption, for the card."""

    name: str
    caption: str
    png: bytes


def drawn(picture: Picture, rows: Rows) -> DrawnPicture:
    """Draw `picture` from rows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 3.6), dpi=120, layout="constrained")
    picture.draw(rows, figure)
    FigureCanvasAgg(figure)
    target = BytesIO()
    figure.savefig(target, format="png", metadata={"Software": None})
    return DrawnPicture(name=picture.name, caption=picture.caption, png=target.getvalue())
