"""What licences allow others to do with data made under them, by SPDX expression, and how a card states them.

The terms are a small table of ids, not legal advice. A licence that is not in it counts as `unknown`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple

from boolean import Expression, ParseError
from license_expression import AND, OR, ExpressionError, LicenseWithExceptionSymbol, get_spdx_licensing

Terms = Literal["free", "no_commercial_use", "no_redistribution", "unknown"]
Handling = Literal["refuse", "mark"]

# No-derivatives licences forbid redistributing works made from the original. NONE is the SPDX id for no licence.
_IDS: Mapping[Terms, str] = {
    "free": """
        0BSD AFL-3.0 AGPL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause
        BSL-1.0 C-UDA-1.0 CC0-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-2.0 CC-BY-SA-3.0 CC-BY-SA-4.0
        CDLA-Permissive-1.0 CDLA-Permissive-2.0 CDLA-Sharing-1.0 ECL-2.0 EPL-2.0 EUPL-1.2 GFDL-1.3 GPL-2.0
        GPL-2.0-only GPL-2.0-or-later GPL-3.0 GPL-3.0-only GPL-3.0-or-later ISC LGPL-3.0 LGPL-3.0-only
        LGPL-3.0-or-later MIT MPL-2.0 MS-PL ODbL-1.0 ODC-By-1.0 PDDL-1.0 PostgreSQL Unlicense WTFPL Zlib
    """,
    "no_commercial_use": """
        CC-BY-NC-2.0 CC-BY-NC-2.5 CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-2.5 CC-BY-NC-SA-3.0
        CC-BY-NC-SA-4.0 PolyForm-Noncommercial-1.0.0
    """,
    "no_redistribution": """
        CC-BY-ND-2.0 CC-BY-ND-2.5 CC-BY-ND-3.0 CC-BY-ND-4.0 CC-BY-NC-ND-2.0 CC-BY-NC-ND-2.5 CC-BY-NC-ND-3.0
        CC-BY-NC-ND-4.0 NONE
    """,
}
_TERMS: Mapping[str, Terms] = {name.lower(): terms for terms, names in _IDS.items() for name in names.split()}
# Of two licences that both hold, the one further right decides; of two that one may choose from, the one further left.
_STRICTNESS: tuple[Terms, ...] = ("free", "unknown", "no_commercial_use", "no_redistribution")

# The Hub's id is the SPDX id in lower case, but for these; it has none for the second list.
_HUB_IDS: Mapping[str, str] = {
    "C-UDA-1.0": "c-uda",
    "GFDL-1.3": "gfdl",
    "ODbL-1.0": "odbl",
    "ODC-By-1.0": "odc-by",
    "PDDL-1.0": "pddl",
    **{
        f"{name}-{version}": name.lower()
        for name in ("AGPL-3.0", "GPL-2.0", "GPL-3.0", "LGPL-3.0")
        for version in ("only", "or-later")
    },
}
_NOT_ON_THE_HUB = """
    0BSD CC-BY-NC-2.5 CC-BY-NC-ND-2.0 CC-BY-NC-ND-2.5 CC-BY-NC-SA-2.5 CC-BY-ND-2.0 CC-BY-ND-2.5 CC-BY-ND-3.0
    CC-BY-SA-2.0 PolyForm-Noncommercial-1.0.0
"""
LICENCE_FILE = "LICENSE.md"  # the name that the Hub links to where it has no id for a licence


class HubLicence(NamedTuple):
    """A licence as the metadata of a card on the Hub state it; `other` has a name and a link."""

    id: str
    name: str | None = None
    link: str | None = None


def terms_of(licence: str | None) -> Terms:
    """The terms of an SPDX expression, in any case; `unknown` if it is missing, no expression, or not in the table."""
    if licence is not None and licence.strip().lower() in _TERMS:
        return _TERMS[licence.strip().lower()]
    parsed = parsed_licence(licence)
    return "unknown" if parsed is None else _terms(parsed)


def _terms(expression: Any) -> Terms:
    match expression:
        case AND() | OR():
            pick = max if isinstance(expression, AND) else min
            return pick((_terms(part) for part in expression.args), key=_STRICTNESS.index)
        case LicenseWithExceptionSymbol():
            return _terms(expression.license_symbol)
        case _:
            return _TERMS.get(expression.key.lower(), "unknown")


@cache
def parsed_licence(licence: str | None) -> Expression | None:
    """An SPDX expression, parsed; None if it is none. `Apache 2.0` is read as `Apache-2.0`."""
    for text in (licence or "", re.sub(r"\s+", "-", (licence or "").strip())):
        try:
            return get_spdx_licensing().parse(text, validate=True)
        except (ExpressionError, ParseError):
            continue
    return None


def licences_in(expression: str) -> Iterator[str]:
    """The SPDX ids in an expression, without its exceptions."""
    parsed = parsed_licence(expression)
    symbols = [] if parsed is None else sorted(parsed.symbols, key=str)
    yield from dict.fromkeys(str(getattr(symbol, "license_symbol", symbol)) for symbol in symbols)


def forbidden(licences: Mapping[str, str | None]) -> dict[str, Terms]:
    """The sources whose licences forbid redistribution or commercial use, with the terms."""
    terms = {source: terms_of(licence) for source, licence in licences.items()}
    return {source: term for source, term in terms.items() if term.startswith("no_")}


def refusal(licences: Mapping[str, str | None]) -> str | None:
    """The reason not to release anything from these sources, or None if no licence forbids it."""
    restricted = forbidden(licences)
    if not restricted:
        return None
    listed = ", ".join(f"{source} ({licences[source]}: {words(terms)})" for source, terms in restricted.items())
    return (
        f"licences of sources forbid what a release allows: {listed}. Leave such sources out, or set licences = 'mark' "
        "in [releases] to release with that said on the card"
    )


def joint_licence(licences: Iterable[str | None]) -> str | None:
    """The SPDX expression of several licences together, such as `Apache-2.0 AND MIT`.

    None if there is no licence, or one that is missing or no SPDX expression.
    """
    parsed = [parsed_licence(licence) for licence in licences]
    known = [expression for expression in parsed if expression is not None]
    if not known or len(known) < len(parsed):
        return None
    joint = known[0] if len(known) == 1 else AND(*known)
    return str(joint.simplify())


def hub_licence(expression: str | None) -> HubLicence:
    """The Hub's id of a licence, or `other` if it has none."""
    parsed = parsed_licence(expression)
    licence = str(parsed) if parsed is not None and str(parsed).lower() in _TERMS else None
    if licence is not None and licence not in _NOT_ON_THE_HUB.split():
        return HubLicence(_HUB_IDS.get(licence, licence.lower()))
    # The Hub wants a name that reads like an id.
    name = re.sub(r"[^a-z0-9.]+", "-", expression.lower()).strip("-") if expression else "unknown"
    return HubLicence("other", name, LICENCE_FILE)


def words(terms: Terms) -> str:
    """Terms as the card words them."""
    return "use and pass on" if terms == "free" else terms.replace("_", " ")
