"""A release as one HTML file that needs no network: the rows, and the style and script that show them.

The rows are data of others. They stand in the file compressed and as letters, the script writes them as text alone, and
the page's policy lets nothing run or load but what this module put in.
"""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib import resources
from typing import Any

import jinja2

from releases.verification.opened import OpenedRelease
from releases.viewing.sheets import Sheet, packed, sheet
from releases.viewing.tokens import Tokenizers

GENERATOR = "stepmill view"
MOST_BYTES = 25_000_000
SCRIPTS = ("elements.js", "rows.js", "filters.js", "meters.js", "texts.js", "panels.js", "tree.js", "page.js")


def page(
    release: OpenedRelease,
    configs: Sequence[str],
    *,
    n: int,
    seed: int,
    tokenizers: Tokenizers,
    most_bytes: int = MOST_BYTES,
) -> tuple[bytes, list[str]]:
    """The HTML of some configs, the first of which is opened, and what it says of each one's rows.

    There are at most `n` rows of each, and fewer where the file would get larger than `most_bytes`. Raises
    UnknownConfig and DamagedRelease.
    """
    while True:
        sheets = [sheet(release, config, n=n, seed=seed, tokenizers=tokenizers) for config in configs]
        content = _html(release, sheets)
        if len(content) <= most_bytes or n == 1:
            return content, [f"{one.head['name']}: {one.head['says']}" for one in sheets]
        most_rows = max(len(one.head["numbers"]) for one in sheets)
        n = max(1, int(min(n, most_rows) * 0.9 * most_bytes / len(content)))


def _html(release: OpenedRelease, sheets: Sequence[Sheet]) -> bytes:
    style, script = _file("page.css"), '"use strict";\n' + "\n".join(_file(name) for name in SCRIPTS)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    html = environment.from_string(_file("page.html.jinja")).render(
        generator=GENERATOR,
        title=f"{release.manifest.dataset} {release.manifest.version}",
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        head=packed(_head(release, sheets)),
        sheets=sheets,
    )
    return html.encode()


def _head(release: OpenedRelease, sheets: Sequence[Sheet]) -> dict[str, Any]:
    manifest = release.manifest
    return {
        "dataset": manifest.dataset,
        "version": manifest.version,
        "title": release.dataset.card.pretty_name,
        "row": release.dataset.card.row,
        "policy": manifest.facts.policy,
        "round": manifest.facts.round,
        "sheets": [one.head for one in sheets],
    }


def _file(name: str) -> str:
    return resources.files("releases.viewing").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    """The hash by which the page's policy knows a script or a style."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
