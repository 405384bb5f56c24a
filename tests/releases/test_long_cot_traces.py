"""From the assets' traces and pairs to the draft of a release and its card."""

import polars as pl
import pytest

from filters.schema import SchemaError
from filters.texts.contamination import MATCHES
from filters.texts.passages import without_passages
from generators.long_cot_traces.copied_examples import example_passages
from generators.long_cot_traces.release import LongCotParameters, recompute_pairs, recompute_traces
from generators.long_cot_traces.schema import LONG_COT_PAIRS, LONG_COT_TRACES
from generators.long_cot_traces.worked_examples import load_examples
from releases.errors import NothingToRelease
from releases.recomputation import differing_columns
from tests.releases.long_cot_rows import PARAMETERS, draft_of, pair, tables, trace

EXAMPLES = load_examples("general") + load_examples("short")


def test_a_release_holds_every_trace_and_every_pair(facts):
    draft = draft_of(facts, *tables())
    rows = {config: sum(table.rows.values()) for config, table in draft.tables.items()}
    assert rows == {"full": 16, "default": 16, "messages": 16, "full_pairs": 8, "pairs": 8}
    assert set(draft.tables["full"].splits) == {"train", "test"}
    held_out = set(draft.tables["full"].splits["test"]["problem_id"])
    assert {*draft.tables["full_pairs"].splits["train"]["problem_id"]}.isdisjoint(held_out)


def test_labels_are_counts_of_behaviours(facts):
    draft = draft_of(facts, LONG_COT_TRACES.frame([trace(0), trace(1)]), test=0)
    counts = {"verification": 0, "backtracking": 2, "subgoal_setting": 2, "backward_chaining": 0}
    assert draft.label_counts == {"train": counts}


def test_without_pairs_there_is_no_config_of_them(facts):
    assert list(draft_of(facts, LONG_COT_TRACES.frame([trace(0)])).tables) == ["full", "default", "messages"]


CHANGED = [
    {"score": 0.0},
    {"n_backtracking": 0, "n_verification": 1},
    {"behaviour_ends": [13, 29]},
    {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]},
]


@pytest.mark.parametrize("change", CHANGED)
def test_a_trace_that_does_not_follow_from_its_texts_is_refused_by_name(facts, change):
    odd = trace(3) | change
    with pytest.raises(
        SchemaError, match=f"config full do not follow .* in 1 of 3 rows, first problem_id {odd['problem_id']}: m"
    ):
        draft_of(facts, LONG_COT_TRACES.frame([trace(1), trace(2), odd]))


CHANGED_PAIRS = [
    {"rejected_reward": 0.5, "reward_margin": 1.5},
    {"rejected_score": 1.0},
    {"rejected_malformed": "no_closing_tag"},
    {"chosen": [{"role": "assistant", "content": "It is \\boxed{5}."}]},
]


@pytest.mark.parametrize("change", CHANGED_PAIRS)
def test_a_pair_that_does_not_follow_from_its_texts_is_refused_by_name(facts, change):
    odd = pair(3) | change
    with pytest.raises(
        SchemaError, match=f"config full_pairs do not follow .* in 1 of 2 rows, first problem_id {odd['problem_id']}: m"
    ):
        draft_of(facts, tables()[0], LONG_COT_PAIRS.frame([pair(1), odd]))


def test_the_scores_of_a_reward_model_are_taken_as_they_are():
    rewarded = {"scored_by": "armorm", "verdict": None, "extracted": None, "answer": ""}
    rows = LONG_COT_TRACES.frame([trace(1) | rewarded | {"score": -2.5}])
    assert differing_columns(rows, recompute_traces(rows, PARAMETERS)) == {}
    sides = {"chosen_score": -2.5, "chosen_reward": -1.5, "rejected_reward": -4.0, "reward_margin": 2.5}
    none = {"chosen_verdict": None, "answer": "", "scored_by": "armorm"}
    pairs = LONG_COT_PAIRS.frame([pair(1, malformed=True) | none | sides])
    assert differing_columns(pairs, recompute_pairs(pairs, PARAMETERS)) == {}


def test_a_slice_without_a_recipe_is_refused_with_the_remedy(facts):
    with pytest.raises(SchemaError, match=r"makings lacks the slice sums-0, which has rows: materialise long_cot"):
        draft_of(facts, tables()[0], parameters=LongCotParameters(by_slice={}))


def copies(example):
    """Rows that repeat a worked example in one place each: problem, thoughts, solution."""
    return [
        trace(1, prompt=example.problem) | {"messages": chat(example.problem, trace(1))},
        trace(2, internal_thoughts=f"Let me see.\n\n{example.thoughts}"),
        trace(3, external_solution=example.solution),
    ]


def chat(prompt, row):
    return [{"role": "user", "content": prompt}, row["messages"][1]]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_no_worked_example_stands_in_a_released_row(facts, example):
    draft = draft_of(facts, LONG_COT_TRACES.frame([trace(0), *copies(example)]), test=0)
    assert draft.tables["full"].splits["train"]["prompt"].to_list() == ["What is 0 + 2?"]
    assert draft.facts.stages[-5].dropped == {"repeats_example": 3}


def test_no_worked_example_stands_in_a_released_pair(facts):
    text = f"<think>\n{EXAMPLES[0].thoughts}"
    copied = pair(2, malformed=True) | {"rejected": [{"role": "assistant", "content": text}]}
    draft = draft_of(facts, tables()[0], LONG_COT_PAIRS.frame([pair(1), copied]))
    assert draft.facts.stages[-4].dropped == {"repeats_example": 1}


def test_rows_that_are_all_copies_are_no_release(facts):
    with pytest.raises(NothingToRelease, match="there are no rows to release"):
        draft_of(facts, LONG_COT_TRACES.frame(copies(EXAMPLES[0])))


# items as evaluation sets have them, in our own words; those of a procedural set differ in nothing but numbers
ITEMS = [
    "What is the sum of all two-digit numbers that leave the remainder 1 when they are divided by 9?",
    "A shop sells pencils at 35 cents and pens at 1.20 dollars. Mia buys 4 pencils and 3 pens. What does she pay?",
    "A bag holds 5 white and 7 black marbles. Two are drawn without putting back. How likely are both white?",
    "How many different words can be made of the letters of the word BANANA?",
    "Solve \\sqrt{x + 7} = x - 5 for real x.",
    "Two of three islanders lie always and one never does. Ann says: Bob lies. Bob says: Cy lies. Who tells the truth?",
    "Find the altitude to the hypotenuse of a right triangle with the legs 6 and 8.",
]
PROCEDURAL = [f"State the final answer to the following arithmetic problem: 4 + {n} - 6 =" for n in range(10)]


@pytest.mark.parametrize(("match", "items"), [("near", ITEMS), ("verbatim", ITEMS + PROCEDURAL)])
def test_no_worked_example_is_an_item_of_an_evaluation_set(match, items):
    passages, settings = example_passages(match), MATCHES[match]

    def found(texts):
        rows = pl.DataFrame({"item": [str(n) for n in range(len(texts))], "text": texts})
        return without_passages(rows, passages, row=["item"], columns=["text"], settings=settings).filtered.dropped

    assert found(items)["text"].to_list() == []
    assert found([*items, EXAMPLES[0].problem])["text"].to_list() == [EXAMPLES[0].problem]


def test_the_card_tells_yields_behaviours_and_limits(facts, registry):
    release = registry.publish(draft_of(facts, *tables(), test=0))
    card = (release.path / "README.md").read_text()
    for line in (
        "Thoughts are never judged",
        "| release: pairs | 8 | 0 |",
        "| train | 0 | 16 | 16 | 0 |",
        "(pictures/behaviours.png)",
        "arXiv:2502.03860",
        "| `messages` | list of {role: string, content: string} |",
    ):
        assert line in card
    assert (release.path / "pictures" / "behaviours.png").read_bytes().startswith(b"\x89PNG")
