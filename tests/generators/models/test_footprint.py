import json

import pytest

from generators.engine.embedded import embedded_model
from generators.engine.errors import EngineMisconfigured
from generators.models.footprint import footprint, longest_context
from tests.tiny_policy import tiny_policy


def test_the_embedded_policy_takes_what_its_config_and_weights_say():
    folder = str(embedded_model())
    as_stored, on_a_cpu = footprint(folder), footprint(folder, dtype="float32")
    assert as_stored.parameters == on_a_cpu.parameters == pytest.approx(134.5e6, rel=1e-3)
    assert as_stored.cache_per_token == 2 * 30 * 3 * 64 * 2
    assert on_a_cpu.cache_per_token == 2 * as_stored.cache_per_token
    assert on_a_cpu.weights == pytest.approx(2 * as_stored.weights, rel=1e-3)
    assert longest_context(folder) == 8192


def test_a_model_with_a_scaled_rope_has_no_context_that_the_config_states(tmp_path):
    folder = tiny_policy(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    assert longest_context(str(folder)) == config["max_position_embeddings"]
    scaled = tmp_path / "scaled"
    scaled.mkdir()
    rope = {"rope_type": "linear", "factor": 4.0, "rope_theta": 10_000.0}
    (scaled / "config.json").write_text(json.dumps(config | {"rope_parameters": rope}))
    assert longest_context(str(scaled)) is None


def test_a_config_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(EngineMisconfigured, match=r"the config of the model .* cannot be read \("):
        longest_context(str(tmp_path))
