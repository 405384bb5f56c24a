import pytest

from benchmarks.kept import kept


def test_a_result_is_made_once_for_each_content(tmp_path):
    calls = []

    def make(own):
        calls.append(own)
        return {"n": len(calls)}

    assert [kept(tmp_path, "stage", {"seed": seed}, make) for seed in (0, 0, 1, 0)] == [
        {"n": 1},
        {"n": 1},
        {"n": 2},
        {"n": 1},
    ]
    assert kept(tmp_path, "other", {"seed": 0}, make) == {"n": 3}


def test_a_call_that_was_cut_off_goes_on_in_the_same_folder(tmp_path):
    def cut_off(own):
        (own / "half").write_text("done so far")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, "stage", {}, cut_off)
    assert kept(tmp_path, "stage", {}, lambda own: (own / "half").read_text()) == "done so far"
