"""The bounds of the section `[self_correction_traces]`."""

import pytest
from pydantic import ValidationError

from generators.self_correction_traces.settings import Settings

WRONG = [
    ({"samples": 0}, "samples", "greater than or equal to 1"),
    ({"growth": 1.0}, "growth", "greater than 1"),
    ({"max_budget": 100}, "", r"max_budget must be at least first_budget \(256\)"),
    ({"counts": "step"}, "counts", "'response' or 'segment'"),
    ({"at_max": "stop"}, "at_max", "'cut', 'finish' or 'trigger'"),
    ({"max_triggers": -1}, "max_triggers", "greater than or equal to 0"),
    ({"triggers": ()}, "triggers", "at least 1 item"),
    ({"triggers": (" ",)}, "triggers.0", "should match pattern"),
    ({"triggers": ("Wait\nthere",)}, "triggers.0", "should match pattern"),
    ({"lot": 0}, "lot", "greater than or equal to 1"),
    ({"cap": 2}, "", r"cap must be at least lot \(4\)"),
    ({"extra_steps": -1}, "extra_steps", "greater than or equal to 0"),
    ({"mask": "all"}, "mask", "'mistake', 'attempt' or 'none'"),
    ({"max_broken_share": 1.1}, "max_broken_share", "less than or equal to 1"),
]


@pytest.mark.parametrize(("change", "field", "complaint"), WRONG)
def test_a_setting_out_of_bounds_is_refused_by_name(change, field, complaint):
    with pytest.raises(ValidationError, match=complaint) as refused:
        Settings.model_validate(change)
    assert ".".join(map(str, refused.value.errors()[0]["loc"])) == field
