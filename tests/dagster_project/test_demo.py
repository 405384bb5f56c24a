from dagster_project.demo import had_no_rows


def test_a_round_that_was_never_made_is_a_failure_of_another_kind_than_one_without_rows(settings, make):
    result = make(settings, "release", "r9", only=["process_labels_release"])
    (failure,) = result.get_step_failure_events()
    assert not had_no_rows(failure)
