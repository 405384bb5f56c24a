from dagster_project.preflight.memory import GIB, on_a_cpu, on_gpus
from dagster_project.resources.policy import PolicySettings
from generators.models.footprint import Footprint

EIGHT_BILLION = Footprint(parameters=8 * 10**9, weights=16 * 10**9, cache_per_token=147_456)


def settings(**fields):
    return PolicySettings.model_validate({"max_model_len": 16_384, **fields})


def fields(findings):
    return [(finding.field, finding.blocks) for finding in findings]


def test_weights_and_one_sequence_must_fit_the_gpu():
    assert fields(on_gpus(settings(in_flight=16), EIGHT_BILLION, free=[80 * GIB])) == []
    assert fields(on_gpus(settings(), EIGHT_BILLION, free=[16 * GIB])) == [("policy.model", True)]


def test_more_sequences_than_the_gpu_holds_are_a_warning_with_their_number():
    (finding,) = on_gpus(settings(in_flight=512), EIGHT_BILLION, free=[80 * GIB])
    assert not finding.blocks and "hold 25 of full length" in finding.why


def test_a_model_is_spread_over_as_many_gpus_as_its_server_is_told():
    spread = settings(in_flight=1, server_args=["--tensor-parallel-size", "2"])
    assert fields(on_gpus(spread, EIGHT_BILLION, free=[12 * GIB] * 2)) == []
    assert fields(on_gpus(settings(server_args=["-tp=4"]), EIGHT_BILLION, free=[80 * GIB])) == [("policy.model", True)]


def test_without_a_gpu_the_remedy_is_a_server_elsewhere():
    (finding,) = on_gpus(settings(), EIGHT_BILLION, free=[])
    assert "0 of the 1 GPUs" in finding.why and "policy.urls" in finding.remedy


def test_on_a_cpu_the_cache_must_hold_a_sequence_and_the_memory_both():
    assert fields(on_a_cpu(settings(kv_cache_gib=4), EIGHT_BILLION, available=64 * GIB)) == []
    assert fields(on_a_cpu(settings(kv_cache_gib=1), EIGHT_BILLION, available=8 * GIB)) == [
        ("policy.kv_cache_gib", True),
        ("policy.model", True),
    ]
