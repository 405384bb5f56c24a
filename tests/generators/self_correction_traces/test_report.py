"""What a person is shown of a row."""

from generators.self_correction_traces.report import marked
from tests.releases.corrected import corrected


def test_a_row_is_shown_with_its_mask_in_brackets_and_an_arrow_before_every_trigger():
    assert marked(corrected(1, keeps_beginning=True, again=True)) == (
        "Well it ⟦is \\boxed{4}.⟧\n→ Wait!\n⟦No \\boxed{5}.⟧\n→ Wait!\nSo \\boxed{3}."
    )
