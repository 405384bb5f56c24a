import polars as pl
import pytest

from filters.texts.contamination import ContaminationSettings, decontaminate

LONG = (
    "A farmer has 24 sheep and 17 goats in a field. Every evening he counts them twice before he closes the gate, and "
    "on Monday he finds that 5 of them are missing. How many animals does he count on Monday evening?"
)
SHORT = "What is the sum of 14 and 9?"
TINY = r"Compute $\sin 60^\circ$."
ITEMS = pl.DataFrame({"evaluation_set": ["e"] * 3, "item": ["1", "2", "3"], "text": [LONG, SHORT, TINY]})


def path_of(text, **settings):
    rows = pl.DataFrame({"id": ["a"], "prompt": [text]})
    found = decontaminate(rows, ITEMS, key="id", column="prompt", settings=ContaminationSettings(**settings))
    assert found.filtered.kept.height + found.filtered.dropped.height == 1
    assert found.matches.height == found.filtered.dropped.height
    return found.matches["path"][0] if found.matches.height else None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (LONG, "long"),
        (SHORT, "short"),
        (TINY, "whole"),
        (LONG.upper().replace(".", " ."), "long"),
        (f"Here is a problem. {LONG} Give your answer as a number.", "long"),
        (f"Think first. {SHORT} Then answer.", "short"),
        (f"Please do this for me: {TINY} Thank you very much indeed, as ever.", "whole"),
        (LONG.replace("24", "31").replace("17", "8").replace("5 of", "2 of"), "renumbered"),
        (LONG.replace("field", "meadow").replace("evening he", "night he"), "near"),
        (
            f"Hello. {LONG.replace('field', 'meadow').replace('evening he', 'night he')} Write down all 3 steps.",
            "reworded",
        ),
        (SHORT.replace("sum", "sum total"), "near"),
        (SHORT.replace("sum", "product"), None),
        (
            "A shop sells 24 red and 17 blue hats, then loses 5. How much money, in euros, did its owner make today?",
            None,
        ),
        ("Calculate \\sin 60^\\circ.", "whole"),
        ("What is sin 60°?", "whole"),
        ("Compute $\\sin 30^\\circ$.", None),
        ("What is the sum of 3 and 4?", None),
        ("What is the sum of 14 and 8?", None),
        ("A farmer has 24 cows. How many animals does he have?", None),
        ("Compute $\\sin 60^\\circ + \\cos 7^\\circ$.", None),
        ("Compute $\\sin 60^\\circ / 2$, then double it.", None),
        ("", None),
    ],
)
def test_an_item_is_found_however_it_is_repeated(text, path):
    assert path_of(text) == path


def test_one_or_two_words_are_found_only_where_they_are_all_there_is():
    items = pl.DataFrame({"evaluation_set": ["e"], "item": ["1"], "text": ["Why not?"]})
    rows = pl.DataFrame({"id": ["a", "b"], "prompt": ["Why not?", "Why not count them first?"]})
    found = decontaminate(rows, items, key="id", column="prompt")
    assert found.matches["key"].to_list() == ["a"]


def test_procedural_problems_that_differ_in_numbers_are_no_repeats_where_whole_items_are_asked_for():
    verbatim = {"long_share": 1, "reworded_share": 1, "renumbered": False}
    assert path_of(LONG.replace("24", "31").replace("17", "8").replace("5 of", "2 of"), **verbatim) is None


def test_a_short_item_with_a_slip_is_found_where_near_allows_it():
    slip = "Compute $\\sin 60^\\circ$ now"
    assert (path_of(slip, near=0.8), path_of("Compute $\\sin 60$ degreees.")) == ("whole", "near")
    assert path_of("Compute $\\sin 60$ degreees.", near=1) is None


def test_a_match_shows_both_texts_and_the_row_is_dropped_with_its_reason():
    rows = pl.DataFrame({"id": ["a", "b"], "prompt": ["Something else entirely.", SHORT]})
    found = decontaminate(rows, ITEMS, key="id", column="prompt")
    assert found.filtered.kept["id"].to_list() == ["a"]
    assert found.filtered.dropped.select("id", "reason").rows() == [("b", "in_evaluation_set")]
    assert found.matches.select("key", "text", "evaluation_set", "item", "item_text", "share").rows() == [
        ("b", SHORT, "e", "2", SHORT, 1.0)
    ]


def test_without_items_nothing_is_dropped():
    rows = pl.DataFrame({"id": ["a"], "prompt": [SHORT]})
    assert decontaminate(rows, ITEMS.clear(), key="id", column="prompt").filtered.kept.height == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("long_n", 8, r"long_n must be above short_n \(8\), got 8"),
        ("near", 0, "near must be above 0 and at most 1, got 0"),
        ("short_n", 1, "short_n must be at least 2, got 1"),
    ],
)
def test_settings_out_of_bounds_are_refused_by_name(field, value, message):
    with pytest.raises(ValueError, match=message):
        ContaminationSettings(**{field: value})
