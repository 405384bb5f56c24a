import os
import stat

import pytest

from dagster_project.resources.logs import own_folder, private_logs
from dagster_project.resources.store import Store


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    private_logs.cache_clear()
    yield tmp_path
    private_logs.cache_clear()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_logs_of_a_remote_data_root_go_to_a_folder_of_this_user_alone(state):
    folder = Store(data_root="memory://bucket").log_folder
    assert folder == state / "state" / "stepmill" / "logs"
    assert mode(folder) == 0o700


def test_logs_of_a_local_data_root_stay_below_it(state):
    assert Store(data_root=str(state / "data")).log_folder == state / "data" / "logs"


def link(path):
    (path.parent / "elsewhere").mkdir()
    path.symlink_to(path.parent / "elsewhere")


def foreign(path):
    path.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(path, 65534, 65534)


def in_the_way(path):
    path.write_text("")


@pytest.mark.parametrize("plant", [link, foreign, in_the_way])
def test_what_somebody_else_put_there_is_not_followed(state, plant):
    (state / "state" / "stepmill").mkdir(parents=True)
    plant(state / "state" / "stepmill" / "logs")
    folder = private_logs()
    assert folder.parent == state
    assert mode(folder) == 0o700
    assert private_logs() == folder


def test_a_folder_of_ours_that_others_could_read_is_closed(state):
    (state / "open").mkdir(mode=0o755)
    assert own_folder(state / "open") == state / "open"
    assert mode(state / "open") == 0o700
