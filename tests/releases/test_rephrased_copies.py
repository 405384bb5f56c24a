from dataclasses import replace

import pytest


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"embedding_model": None}, "were not searched: no embedding model was set."),
        ({"by_slice": {"a": {"embedding_model": "org/model"}}}, "were searched with the embedding model org/model."),
    ],
)
def test_the_card_says_whether_rephrased_copies_were_searched(registry, true_draft, facts, config, sentence):
    draft = replace(true_draft, facts=facts(settings={"problems": {"settings": {}, "config": config}}))
    assert sentence in (registry.publish(draft).path / "README.md").read_text()


def test_a_card_without_the_settings_of_its_problems_says_nothing_of_them(registry, true_draft):
    assert "Rephrased copies" not in (registry.publish(true_draft).path / "README.md").read_text()
