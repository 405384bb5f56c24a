"""The pace of units of work: what is left follows from what was computed, not from what was read back."""

from benchmarks.laboratory_value.work import PROCESSES, Pace, Unit


def unit(weight):
    return Unit(name="a", weight=weight, call=print, arguments=())


def test_the_time_left_is_the_weight_left_at_the_pace_so_far_on_two_processes():
    said = []
    pace = Pace(ahead=30.0, say=said.append)
    pace.took(unit(10.0), 60.0)
    assert said[-1].endswith(f"about {20 * 6 / PROCESSES / 60:.1f} min left")


def test_a_unit_that_was_read_back_shortens_the_rest_and_says_nothing_of_the_pace():
    said = []
    pace = Pace(ahead=30.0, say=said.append)
    pace.took(unit(10.0), 60.0)
    pace.took(unit(10.0), 0.01)
    assert said[-1].endswith(f"about {10 * 6 / PROCESSES / 60:.1f} min left")
