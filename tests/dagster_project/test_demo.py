from dagster_project.demo import had_no_rows, summary


def test_a_round_that_was_never_made_is_a_failure_of_another_kind_than_one_without_rows(settings, make):
    result = make(settings, "release", "r9", only=["process_labels_release"])
    (failure,) = result.get_step_failure_events()
    assert not had_no_rows(failure)


def test_the_summary_names_where_a_release_is_and_where_on_the_hub():
    there = "https://hub/datasets/lab/poems/tree/v0.1.0"
    made = {"dagster/row_count": 4, "dagster/uri": "data/releases/poems/v0.1.0", "hub": there}
    told = summary(
        {"poems_release [demo]": made, "other [demo]": {"dagster/row_count": 1, "dagster/uri": "x"}}, seconds=2
    )
    assert told.splitlines()[2:] == [
        "  poems_release [demo]: 4 rows at data/releases/poems/v0.1.0",
        f"    on the Hub at {there}",
        "  other [demo]: 1 rows at x",
    ]
