"""What licences allow others to do with data made under them, by SPDX id, and how a card states them.

This is a small table of ids, not legal advice. A licence that is not in it counts as `unknown`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

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
_SPDX: Mapping[str, str] = {name.lower(): name for names in _IDS.values() for name in names.split() if name != "NONE"}

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
    """The terms of a licence by its SPDX id, in any case; `unknown` if it is missing or not in the table."""
    return "unknown" if licence is None else _TERMS.get(licence.strip().lower(), "unknown")


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

    None if there is no licence, or one that is missing or not in the table.
    """
    ids = {None if licence is None else _SPDX.get(licence.strip().lower()) for licence in licences}
    known = {licence for licence in ids if licence is not None}
    return " AND ".join(sorted(known, key=str.lower)) if known and known == ids else None


def hub_licence(expression: str | None) -> HubLicence:
    """The Hub's id of a licence, or `other` if it has none."""
    licence = _SPDX.get((expression or "").lower())
    if licence is not None and licence not in _NOT_ON_THE_HUB.split():
        return HubLicence(_HUB_IDS.get(licence, licence.lower()))
    # The Hub wants a name that reads like an id.
    name = re.sub(r"[^a-z0-9.]+", "-", expression.lower()) if expression else "unknown"
    return HubLicence("other", name, LICENCE_FILE)


def words(terms: Terms) -> str:
    """Terms as the card words them."""
    return "use and pass on" if terms == "free" else terms.replace("_", " ")
