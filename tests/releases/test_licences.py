"""Licences of sources: their terms, what is refused or marked, what the card and `verify` say of them."""

import pytest
from upath import UPath

from releases.errors import LicenceForbids
from releases.facts import SourceFacts
from releases.licences import refusal, terms_of
from releases.verification.verify import verify
from tests.releases.conftest import true_draft_of
from tests.releases.forgery import alone, with_manifest

TERMS = [
    ("mit", "free"),
    ("Apache-2.0", "free"),
    (" CC-BY-SA-4.0 ", "free"),
    ("cc-by-nc-4.0", "no_commercial_use"),
    ("CC-BY-NC-SA-3.0", "no_commercial_use"),
    ("CC-BY-NC-ND-4.0", "no_redistribution"),
    ("NONE", "no_redistribution"),
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


FORGED = [
    (
        {"terms": "free"},
        {},
        "terms of source sums are said to be free; its licence, cc-by-nc-4.0, is no_commercial_use",
    ),
    ({}, {"licences": "refuse"}, "source sums has a licence with no commercial use, and licences says that such are"),
]


@pytest.mark.parametrize(("source", "told", "complaint"), FORGED)
def test_a_manifest_that_hides_what_a_licence_forbids_is_named(registry, under, tmp_path, source, told, complaint):
    folder = alone(registry.publish(under("cc-by-nc-4.0", "mark")).path, UPath(tmp_path / "alone"))

    def forge(manifest):
        manifest["facts"]["sources"][0].update(source)
        manifest["facts"].update(told)

    (finding,) = verify(with_manifest(folder, forge)).checks["licences"].findings
    assert finding.complaint.startswith(complaint)
