"""The colours of a row's picture: those that the page of `stepmill view` declares in its style sheet."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

Rgb = tuple[float, float, float]
_TO_CONE = ((0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
            (0.0883024619, 0.2817188376, 0.6299787005))  # fmt: skip
_TO_LAB = ((0.2104542553, 0.793617785, -0.0040720468), (1.9779984951, -2.428592205, 0.4505937099),
           (0.0259040371, 0.7827717662, -0.808675766))  # fmt: skip
_FROM_LAB = ((1.0, 0.3963377774, 0.2158037573), (1.0, -0.1055613458, -0.0638541728),
             (1.0, -0.0894841775, -1.291485548))  # fmt: skip
_FROM_CONE = ((4.0767416621, -3.3077115913, 0.2309699292), (-1.2684380046, 2.6097574011, -0.3413193965),
              (-0.0041960863, -0.7034186147, 1.707614701))  # fmt: skip


@cache
def _style() -> str:
    return resources.files("releases.viewing").joinpath("page.css").read_text("utf-8")


@cache
def declared() -> Mapping[str, Rgb]:
    """The page's light colours by name."""
    root = _style().split(":root {", 1)[1].split("}", 1)[0]
    return {name: _rgb(value) for name, value in re.findall(r"--([\w-]+): (#[0-9a-f]{6});", root)}


@cache
def kinds() -> tuple[Rgb, ...]:
    """The colours of highlighted kinds, in their order."""
    return tuple(_rgb(value) for value in re.findall(r"--kind: (#[0-9a-f]{6});", _style()))


def tone(share: float | None) -> Rgb:
    """The colour of a share of right rollouts."""
    named = declared()
    if share is None:
        return named["unknown"]
    return mixed(named["right" if share >= 0.5 else "wrong"], named["middle"], abs(share - 0.5) * 2)


def washed(colour: Rgb, share: float, ground: Rgb = (1.0, 1.0, 1.0)) -> Rgb:
    """A share of a colour laid over a ground."""
    red, green, blue = (share * one + (1 - share) * other for one, other in zip(colour, ground, strict=True))
    return red, green, blue


def mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    """A share of `one` and the rest of `other`, mixed as the eye sees it (Oklab), as the page mixes them."""
    lab = [share * a + (1 - share) * b for a, b in zip(_lab(one), _lab(other), strict=True)]
    linear = _times(_FROM_CONE, [value**3 for value in _times(_FROM_LAB, lab)])
    red, green, blue = (_encoded(min(1.0, max(0.0, value))) for value in linear)
    return red, green, blue


def _lab(colour: Rgb) -> list[float]:
    return _times(_TO_LAB, [value ** (1 / 3) for value in _times(_TO_CONE, [_linear(value) for value in colour])])


def _times(matrix: tuple[tuple[float, ...], ...], vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(line, vector, strict=True)) for line in matrix]


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _encoded(value: float) -> float:
    return value * 12.92 if value <= 0.0031308 else float(1.055 * value ** (1 / 2.4) - 0.055)


def _rgb(value: str) -> Rgb:
    red, green, blue = (int(value[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue
