"""Writes pixels as a PNG of 256 colours, a third of the size; areas keep their colours, letters lose a few shades."""

from collections.abc import Iterable
from io import BytesIO

import numpy as np
import numpy.typing as npt

from releases.picturing.colours import Rgb

MOST = 256  # as many colours as a byte can name


def reduced_png(pixels: npt.NDArray[np.uint8], kept: Iterable[Rgb]) -> bytes:
    """The PNG of an image of (height, width, 3); the colours `kept` are exact, as are the most frequent others."""
    from PIL import Image

    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    found, places, counts = np.unique(packed, return_inverse=True, return_counts=True)
    palette = _palette(found, counts, kept)
    image = Image.fromarray(_nearest(found, palette)[places].reshape(packed.shape))
    image.putpalette(_unpacked(palette).astype(np.uint8).tobytes())
    target = BytesIO()
    image.save(target, format="png", optimize=True)
    return target.getvalue()


def _palette(
    found: npt.NDArray[np.uint32], counts: npt.NDArray[np.int64], kept: Iterable[Rgb]
) -> npt.NDArray[np.uint32]:
    exact = {sum(round(part * 255) << shift for part, shift in zip(colour, (16, 8, 0), strict=True)) for colour in kept}
    by_count = found[np.lexsort((found, -counts))].tolist()
    present = [colour for colour in by_count if colour in exact]
    return np.array([*present, *(colour for colour in by_count if colour not in exact)][:MOST], dtype=np.uint32)


def _nearest(found: npt.NDArray[np.uint32], palette: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    """The place in the palette of the colour that is nearest to each one."""
    colours, named = _unpacked(found), _unpacked(palette)
    squares = (colours**2).sum(axis=1)[:, None] - 2 * colours @ named.T + (named**2).sum(axis=1)
    nearest: npt.NDArray[np.uint8] = squares.argmin(axis=1).astype(np.uint8)
    return nearest


def _unpacked(packed: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    return np.stack([(packed >> shift) & 255 for shift in (16, 8, 0)], axis=1).astype(np.int64)
