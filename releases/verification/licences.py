"""The licences of a version's sources: their terms as they follow from the ids, and none that was to be refused.

Knows the manifest alone; whether a source really has the licence that it is said to have, nobody can tell from here.
"""

from collections.abc import Iterator

from releases.licences import forbidden, terms_of, words
from releases.manifest import FILE_NAME
from releases.verification.finding import Checked, Finding
from releases.verification.opened import OpenedRelease


def check_licences(release: OpenedRelease) -> Checked:
    """The terms of every source follow from its licence, and a release that refuses restricted sources has none."""
    complaints = _complaints(release)
    return Checked.of(
        len(release.manifest.facts.sources),
        "sources",
        [Finding(file=FILE_NAME, complaint=complaint) for complaint in complaints],
    )


def _complaints(release: OpenedRelease) -> Iterator[str]:
    facts = release.manifest.facts
    for source in facts.sources:
        found = terms_of(source.licence)
        if source.terms != found:
            said = f"terms of source {source.name} are said to be {source.terms}"
            yield f"{said}; its licence, {source.licence}, is {found}"
    if facts.licences == "refuse":
        for name, terms in forbidden({source.name: source.licence for source in facts.sources}).items():
            yield f"source {name} has a licence with {words(terms)}, and licences says that such are refused"
