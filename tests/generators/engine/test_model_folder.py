import threading

import pytest

from generators.engine.errors import EngineMisconfigured
from generators.engine.model_folder import check_folder, make_once


def fill(folder):
    (folder / "config.json").write_text("{}")
    (folder / "weights").write_bytes(b"\x00\x01")


def test_a_made_folder_passes_its_own_manifest_and_nothing_else_is_left_beside_it(tmp_path):
    folder = tmp_path / "models" / "small"
    make_once(folder, fill, version="1")
    check_folder(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["small"]


def test_a_maker_that_fails_leaves_no_folder(tmp_path):
    def half(folder):
        fill(folder)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        make_once(tmp_path / "small", half, version="1")
    assert list(tmp_path.iterdir()) == []


def test_two_makers_at_once_end_with_one_whole_folder(tmp_path):
    both_filled = threading.Barrier(2, timeout=10)

    def meet(folder):
        fill(folder)
        both_filled.wait()

    makers = [
        threading.Thread(target=make_once, args=(tmp_path / "small", meet), kwargs={"version": "1"}) for _ in range(2)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    check_folder(tmp_path / "small")
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "weights").write_bytes(b"\x00"), "weights is missing or damaged"),
        (lambda folder: (folder / "weights").unlink(), "weights is missing or damaged"),
        (lambda folder: (folder / "manifest.json").unlink(), r"has no manifest\.json"),
    ],
    ids=["changed", "missing", "no manifest"],
)
def test_a_damaged_folder_is_refused_with_the_remedy(tmp_path, damage, message):
    folder = tmp_path / "small"
    make_once(folder, fill, version="1")
    damage(folder)
    with pytest.raises(EngineMisconfigured, match=rf"{message}.*delete the folder"):
        check_folder(folder)
