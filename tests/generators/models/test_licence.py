"""The licence of a policy's weights, by the card that lies beside them."""

import pytest

from generators.models.licence import licence_of

CARDS = [
    ("---\nlicense: mit\n---\n# A model\n", "mit"),
    ("---\nlanguage: en\n---\n# A model\n", None),
    ("# A model without metadata\n", None),
]


@pytest.mark.parametrize(("card", "licence"), CARDS)
def test_a_folder_has_the_licence_of_its_card(tmp_path, card, licence):
    (tmp_path / "README.md").write_text(card)
    assert licence_of(str(tmp_path)) == licence


@pytest.mark.parametrize(("model", "licence"), [("embedded", "Apache-2.0"), ("simulated", None), ("lab/unknown", None)])
def test_without_a_card_only_the_embedded_model_is_known(model, licence):
    assert licence_of(model) == licence


def test_a_folder_without_a_card_states_none(tmp_path):
    assert licence_of(str(tmp_path)) is None
