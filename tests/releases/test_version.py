"""Version numbers: form, order, and which one comes next."""

import pytest

from releases.version import Version, next_version

TABLE = [
    # released versions and their rounds, the draft's round, claimed by others, the next version
    ({}, "a", [], "v0.1.0"),
    ({"v0.1.0": "a"}, "a", [], "v0.1.1"),
    ({"v0.1.0": "a"}, "b", [], "v0.2.0"),
    ({"v0.1.0": "a", "v0.2.0": "b"}, "a", [], "v0.1.1"),
    ({"v0.1.0": "a", "v0.1.1": "a", "v0.2.0": "b"}, "a", [], "v0.1.2"),
    ({"v0.1.0": "a", "v0.1.1": "a"}, "b", [], "v0.2.0"),
    ({"v0.9.9": "a"}, "b", [], "v0.10.0"),
    ({"v1.0.0": "a"}, "b", [], "v1.1.0"),
    ({"v0.1.0": "a", "v0.1.1": "b"}, "a", [], "v0.1.2"),
    ({}, "a", ["v0.1.0"], "v0.2.0"),
    ({"v0.1.0": "a"}, "a", ["v0.1.1", "v0.1.2"], "v0.1.3"),
    ({"v0.1.0": "a"}, "b", ["v0.2.0"], "v0.3.0"),
]


@pytest.mark.parametrize(("rounds", "round", "claimed", "expected"), TABLE)
def test_the_next_version(rounds, round, claimed, expected):
    released = {Version.parse(version): of for version, of in rounds.items()}
    assert str(next_version(released, round, claimed=[Version.parse(text) for text in claimed])) == expected


MAJORS = [
    # released versions and their rounds, the draft's round, the least major number, the next version
    ({}, "a", 1, "v1.0.0"),
    ({"v0.1.0": "a"}, "a", 1, "v1.0.0"),
    ({"v0.1.0": "a", "v1.0.0": "a"}, "a", 1, "v1.0.1"),
    ({"v0.1.0": "a", "v1.0.0": "b"}, "a", 1, "v1.1.0"),
    ({"v0.1.0": "a", "v1.0.0": "b"}, "a", 0, "v0.1.1"),
    ({"v0.1.0": "a", "v2.3.0": "b"}, "c", 1, "v2.4.0"),
]


@pytest.mark.parametrize(("rounds", "round", "major", "expected"), MAJORS)
def test_versions_below_the_major_number_that_is_asked_for_do_not_count(rounds, round, major, expected):
    released = {Version.parse(version): of for version, of in rounds.items()}
    assert str(next_version(released, round, major=major)) == expected


def test_versions_are_ordered_by_number():
    assert Version.parse("v0.10.0") > Version.parse("v0.9.1") > Version.parse("v0.9.0")


@pytest.mark.parametrize("text", ["0.1.0", "v0.1", "v0.1.0rc1", "v01.0.0", "v0.1.0\n", ""])
def test_another_form_is_refused(text):
    with pytest.raises(ValueError, match=r"version must look like v0\.1\.0, got"):
        Version.parse(text)
