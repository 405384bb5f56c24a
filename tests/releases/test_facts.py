"""Facts are checked where they are built."""

import pytest

from releases.facts import SourceFacts, StageFacts


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="problems must be at least 0, got -1"):
        SourceFacts(name="sums", problems=-1)
    with pytest.raises(ValueError, match="duplicate of stage problems must be at least 0, got -2"):
        StageFacts(name="problems", kept=1, dropped={"duplicate": -2})


def test_a_release_needs_a_policy_and_a_round(facts):
    with pytest.raises(ValueError, match="round must not be empty, got ''"):
        facts("")


def test_settings_must_be_plain(facts):
    with pytest.raises(ValueError, match="settings must be plain JSON data"):
        facts(settings={"path": object()})
