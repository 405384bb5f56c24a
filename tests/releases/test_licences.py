"""Licences of sources: their terms, what is refused or marked, what the card and `verify` say of them."""

from dataclasses import replace

import pytest
from huggingface_hub import DatasetCard
from upath import UPath

from releases.errors import LicenceForbids
from releases.facts import SourceFacts
from releases.licences import _IDS, hub_licence, joint_licence, refusal, terms_of
from releases.verification.verify import verify
from tests.releases.conftest import true_draft_of
from tests.releases.forgery import alone, with_file, with_manifest

TERMS = [
    ("mit", "free"),
    ("Apache-2.0", "free"),
    (" CC-BY-SA-4.0 ", "free"),
    ("cc-by-nc-4.0", "no_commercial_use"),
    ("CC-BY-NC-SA-3.0", "no_commercial_use"),
    ("CC-BY-NC-ND-4.0", "no_redistribution"),
    ("NONE", "no_redistribution"),
    ("Apache 2.0", "free"),
    ("MIT OR CC-BY-NC-4.0", "free"),
    ("MIT AND CC-BY-NC-4.0", "no_commercial_use"),
    ("MIT AND (CC-BY-NC-4.0 OR CC-BY-ND-4.0)", "no_commercial_use"),
    ("GPL-3.0-only WITH GCC-exception-3.1", "free"),
    ("MIT AND Glulxe", "unknown"),
    ("MIT AND", "unknown"),
    ("our own terms", "unknown"),
    ("", "unknown"),
    (None, "unknown"),
]


@pytest.mark.parametrize(("licence", "terms"), TERMS)
def test_terms_follow_from_the_spdx_id(licence, terms):
    assert terms_of(licence) == terms
    assert SourceFacts(name="sums", licence=licence, problems=1).terms == terms


def test_only_what_is_known_to_forbid_is_refused():
    assert refusal({"a": "mit", "b": None, "c": "our own terms"}) is None
    assert refusal({"a": "mit", "b": "cc-by-nc-4.0"}) == (
        "licences of sources forbid what a release allows: b (cc-by-nc-4.0: no commercial use). Leave such sources "
        "out, or set licences = 'mark' in [releases] to release with that said on the card"
    )


@pytest.fixture
def under(true_rows, facts):
    def draft(licence, handling="refuse"):
        sources = (SourceFacts(name="sums", licence=licence, problems=16),)
        return true_draft_of(true_rows, facts(sources=sources, licences=handling))

    return draft


def test_a_source_that_forbids_commercial_use_is_refused_and_nothing_is_written(any_registry, under):
    with pytest.raises(LicenceForbids, match=r"process_labels: licences of sources .* sums \(cc-by-nc-4\.0: no comm"):
        any_registry.publish(under("cc-by-nc-4.0"))
    assert any_registry.versions("process_labels") == []


def test_a_source_that_is_marked_stands_on_the_card_and_in_the_manifest_and_verifies(registry, under):
    path = registry.publish(under("cc-by-nc-4.0", "mark")).path
    card = (path / "README.md").read_text()
    assert "| sums | cc-by-nc-4.0 | no commercial use | 16 |" in card
    assert "restrict what you may do with the rows: sums (no commercial use)." in card
    (source,) = registry.manifest("process_labels", "v0.1.0").facts.sources
    assert source.terms == "no_commercial_use"
    assert verify(path).findings == ()


@pytest.mark.parametrize(("licence", "told"), [(None, "not stated"), ("our own terms", "our own terms")])
def test_a_licence_that_is_not_known_is_named_as_unknown(registry, under, licence, told):
    card = (registry.publish(under(licence)).path / "README.md").read_text()
    assert f"| sums | {told} | unknown | 16 |" in card
    assert "restrict what you may do" not in card


BOTH = ("other", "cc0-1.0-and-apache-2.0-or-mit", "LICENSE.md")
JOINT = [
    (["apache-2.0"], "Apache-2.0", ("apache-2.0", None, None)),
    (["apache-2.0", "Apache-2.0 "], "Apache-2.0", ("apache-2.0", None, None)),
    (["ODC-By-1.0"], "ODC-By-1.0", ("odc-by", None, None)),
    (["GPL-3.0-or-later"], "GPL-3.0-or-later", ("gpl-3.0", None, None)),
    (["cc-by-sa-2.0"], "CC-BY-SA-2.0", ("other", "cc-by-sa-2.0", "LICENSE.md")),
    (["mit", "apache-2.0"], "Apache-2.0 AND MIT", ("other", "apache-2.0-and-mit", "LICENSE.md")),
    (["mit OR apache-2.0", "MIT"], "MIT", ("mit", None, None)),
    (["mit OR apache-2.0", "CC0-1.0"], "CC0-1.0 AND (Apache-2.0 OR MIT)", BOTH),
    (["Glulxe"], "Glulxe", ("other", "glulxe", "LICENSE.md")),
    (["mit", None], None, ("other", "unknown", "LICENSE.md")),
    (["our own terms"], None, ("other", "unknown", "LICENSE.md")),
    (["NONE"], None, ("other", "unknown", "LICENSE.md")),
    ([], None, ("other", "unknown", "LICENSE.md")),
]
# What the Hub's validation of a card accepts (huggingface_hub, issue 4218), but for names of models.
HUB = """
    apache-2.0 mit afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0
    cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0
    cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0
    cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl
    gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc lppl-1.3c ms-pl mpl-2.0 odc-by odbl osl-3.0 postgresql ofl-1.1 ncsa
    unlicense zlib pddl lgpl-lr unknown other
"""


@pytest.mark.parametrize(("licences", "expression", "stated"), JOINT)
def test_the_licence_of_the_rows_follows_from_those_of_the_sources(licences, expression, stated):
    assert joint_licence(licences) == expression
    assert hub_licence(expression) == stated


def test_every_known_licence_is_stated_by_an_id_that_the_hub_accepts():
    known = [name for names in _IDS.values() for name in names.split() if name != "NONE"]
    stated = {name: hub_licence(joint_licence([name])).id for name in known}
    accepted = HUB.split()
    assert [name for name, licence in stated.items() if licence not in accepted] == []
    assert [name for name, licence in stated.items() if licence == "other" and name.lower() in accepted] == []


@pytest.mark.parametrize(
    ("licences", "fields", "on_the_card", "in_the_file"),
    [
        (["mit", "MIT"], {"license": "mit"}, "Licence of the rows: `MIT`, from the licences of the sources.\n", None),
        (
            ["mit", "cc-by-4.0"],
            {"license": "other", "license_name": "cc-by-4.0-and-mit", "license_link": "LICENSE.md"},
            "`CC-BY-4.0 AND MIT`, from the licences of the sources. See [`LICENSE.md`](LICENSE.md).",
            "- [CC-BY-4.0](https://spdx.org/licenses/CC-BY-4.0.html)\n- [MIT](https://spdx.org/licenses/MIT.html)\n",
        ),
        (
            ["mit", "our | terms"],
            {"license": "other", "license_name": "unknown", "license_link": "LICENSE.md"},
            "Licence of the rows: unknown, since a source or the policy states none or one that is no SPDX",
            "| b | our \\| terms | unknown | 8 |\n",
        ),
    ],
)
def test_a_version_states_its_licence_to_the_hub_and_explains_one_without_an_id(
    registry, true_rows, facts, licences, fields, on_the_card, in_the_file
):
    first, second = licences
    sources = [SourceFacts(name="sums", licence=first, problems=8), SourceFacts(name="b", licence=second, problems=8)]
    path = registry.publish(true_draft_of(true_rows, facts(sources=sources))).path
    card = DatasetCard.load(path / "README.md")
    assert {name: value for name, value in card.data.to_dict().items() if name.startswith("license")} == fields
    assert on_the_card in card.text
    assert (path / "LICENSE.md").exists() == (in_the_file is not None)
    if in_the_file is not None:
        assert in_the_file in (path / "LICENSE.md").read_text()
    assert verify(path).findings == ()


def test_a_version_that_states_no_licence_of_its_rows_verifies(registry, true_rows, facts):
    """As versions do that were made before the licence was computed."""
    assert verify(registry.publish(true_draft_of(true_rows, facts(licence=None))).path).findings == ()


def test_a_card_that_states_another_licence_is_named(registry, under, tmp_path):
    folder = alone(registry.publish(under("mit")).path, UPath(tmp_path / "alone"))
    card = (folder / "README.md").read_text()
    with_file(folder, "README.md", card.replace("license: mit", "license: cc0-1.0").encode())
    (finding,) = verify(folder).checks["card"].findings
    assert finding.complaint == "its YAML says that the licence is cc0-1.0; by the manifest it is mit"


FORGED = [
    (
        {"terms": "free"},
        {},
        "terms of source sums are said to be free; its licence, cc-by-nc-4.0, is no_commercial_use",
    ),
    ({}, {"licences": "refuse"}, "source sums has a licence with no commercial use, and licences says that such are"),
    ({}, {"licence": "MIT"}, "the licence of the rows is said to be MIT; by the sources and the policy it is CC-BY-NC"),
]


@pytest.mark.parametrize(("source", "told", "complaint"), FORGED)
def test_a_manifest_that_hides_what_a_licence_forbids_is_named(registry, under, tmp_path, source, told, complaint):
    folder = alone(registry.publish(under("cc-by-nc-4.0", "mark")).path, UPath(tmp_path / "alone"))

    def forge(manifest):
        manifest["facts"]["sources"][0].update(source)
        manifest["facts"].update(told)

    (finding,) = verify(with_manifest(folder, forge)).checks["licences"].findings
    assert finding.complaint.startswith(complaint)


def test_the_policys_licence_joins_those_of_the_sources(registry, true_rows, facts):
    stated = facts(sources=[SourceFacts(name="sums", licence="mit", problems=16)], policy_licence="Apache-2.0")
    path = registry.publish(true_draft_of(true_rows, replace(stated, licence=stated.joint_licence))).path
    card = DatasetCard.load(path / "README.md")
    assert (card.data.license_name, stated.joint_licence) == ("apache-2.0-and-mit", "Apache-2.0 AND MIT")
    assert "from the licences of the sources and of the policy" in card.text
    assert "and that of the policy, `Apache-2.0`, for what it wrote" in (path / "LICENSE.md").read_text()
    assert verify(path).findings == ()
