"""Checks the licences of a version's sources: terms and the licence of the rows follow from them, none is refused.

Only the manifest is checked, not whether a source really has the licence it states.
"""

from collections.abc import Iterator

from releases.licences import forbidden, terms_of, words
from releases.manifest import FILE_NAME
from releases.verification.finding import Checked, Finding
from releases.verification.streamed import StreamedRelease


def check_licences(release: StreamedRelease) -> Checked:
    """Terms and the licence of the rows follow from the sources' licences; a release that refuses some has none."""
    complaints = _complaints(release)
    return Checked.of(
        len(release.manifest.facts.sources),
        "sources",
        [Finding(file=FILE_NAME, complaint=complaint) for complaint in complaints],
    )


def _complaints(release: StreamedRelease) -> Iterator[str]:
    facts = release.manifest.facts
    for source in facts.sources:
        expected = terms_of(source.licence)
        if source.terms != expected:
            complaint = f"terms of source {source.name} are said to be {source.terms}"
            yield f"{complaint}; its licence, {source.licence}, is {expected}"
    licence = facts.joint_licence
    if facts.licence not in (None, licence):  # earlier versions state none
        complaint = f"the licence of the rows is said to be {facts.licence}"
        yield f"{complaint}; by the sources and the policy it is {licence or 'unknown'}"
    if facts.licences == "refuse":
        for name, terms in forbidden({source.name: source.licence for source in facts.sources}).items():
            yield f"source {name} has a licence with {words(terms)}, and licences says that such are refused"
