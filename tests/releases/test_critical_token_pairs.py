"""From the asset's pairs to the release: what follows, what is refused, what the paper's trainer reads."""

import json

import polars as pl
import pytest
from upath import UPath

from filters.schema import SchemaError
from generators.critical_token_pairs.recipe import chosen_weights, rejected_weights
from generators.critical_token_pairs.schema import CRITICAL_TOKEN_PAIRS
from generators.critical_token_pairs.tokens.confirmation import Confirmation
from generators.engine.tokenizer import HFTokenizer
from generators.problems.loading import problem_id
from generators.sampling.templated import templated
from generators.search.priors import Priors
from releases.critical_token_pairs import Export, build_critical_token_pairs, differing
from releases.errors import IncompleteManifest, NothingToRelease
from releases.splits import SplitShares
from releases.verification.verify import verify
from tests.releases.forgery import alone, with_file, with_value
from tests.tiny_policy import tiny_policy

EXPORT = Export(priors={"sums-0": Priors()}, shares=SplitShares(test=0.3))
SHARD = "data/default/train-00000-of-00001.parquet"
SCORED = "exports/train.CE_scored.json"
CRITICAL = 6  # the token of the wrong solution that is tested and confirmed


def pair(number, *, stable=True):
    """The sum of `number` and 2, solved and missed; ids 1 to 4 are the prompt, 0 ends a text."""
    prompt, answer = f"What is {number} + 2?", str(number + 2)
    chosen, rejected = [1, 2, 3, 4, 11, 12, 13, 0], [1, 2, 3, 4, 11, 12, 14, 15, 0]
    rejected_scores = [None, 1.0, 1.0, 1.0, 0.9, 0.4, 0.01, 0.7, 0.99]
    return {
        "problem_id": problem_id(prompt, answer),
        "source": "sums",
        "prompt": prompt,
        "chosen": f"So \\boxed{{{answer}}}.",
        "rejected": f"So \\boxed{{{number}}}.",
        "answer": answer,
        "chosen_attempt_index": 0,
        "rejected_attempt_index": 3,
        "response_start": 4,
        "chosen_token_ids": chosen,
        "chosen_scores": [None, *[0.9] * 7],
        "rejected_token_ids": rejected,
        "rejected_scores": rejected_scores,
        "chosen_weights": chosen_weights(8, 4),
        "rejected_weights": rejected_weights(rejected_scores, 4),
        "critical_positions": [5, CRITICAL],
        "critical_token_ids": [12, 14],
        "critical_scores": [0.4, 0.01],
        "critical_nominated_by": ["score", "both"],
        "critical_value_with": [0.75, 0.0],
        "critical_n_with_correct": [6, 0],
        "critical_n_with": [8, 60],
        "critical_value_without": [None, 0.75],
        "critical_n_without_correct": [0, 9],
        "critical_n_without": [0, 12],
        "critical_confirmed": [False, True],
        "n_attempts": 4,
        "n_attempts_right": 2,
        "templated_prompt": f"<user>{prompt}<assistant>",
        "is_stable": stable,
        "tokenizer": "tiny",
        "tokenizer_sha256": "ab",
        "beta": 1.0,
        "positive_model": "positive-1",
        "negative_model": "negative-2",
        "policy": "tiny",
        "round": "first",
        "slice": "sums-0",
    }


@pytest.fixture
def rows():
    return CRITICAL_TOKEN_PAIRS.frame([pair(number, stable=number != 1) for number in range(12)])


@pytest.fixture
def draft(rows, facts):
    return build_critical_token_pairs(rows, facts(), EXPORT)


@pytest.fixture
def folder(draft, registry, tmp_path):
    return alone(registry.publish(draft).path, UPath(tmp_path / "alone"))


def changed(rows, change):
    return rows.with_columns(
        **{name: pl.Series([value] * rows.height, dtype=rows.schema[name]) for name, value in change.items()}
    )


def found(folder):
    return [(name, str(one)) for name, checked in verify(folder).checks.items() for one in checked.findings]


def test_weights_values_and_confirmations_follow_from_scores_and_counts(rows, draft):
    assert differing(rows, EXPORT) == []
    assert sum(draft.tables["default"].rows.values()) == 12
    assert {name: sum(of[name] for of in draft.label_counts.values()) for name in ("critical", "not_critical")} == {
        "critical": 12,
        "not_critical": 12,
    }


CHANGED = [
    {"rejected_weights": [0.0] * 4 + [0.1, 0.6, 0.5, 0.3, 1.0]},
    {"chosen_weights": [0.0] * 4 + [1.0, 0.5, 1.0, 1.0]},
    {"critical_token_ids": [12, 15]},
    {"critical_scores": [0.4, 0.02]},
    {"critical_value_without": [None, 0.5]},
    {"critical_n_with_correct": [6, 30], "critical_value_with": [0.75, 0.5]},
    {"critical_confirmed": [False, False]},
    {"critical_confirmed": [True, False]},
]


@pytest.mark.parametrize("change", CHANGED)
def test_a_row_that_does_not_follow_is_refused_by_name(rows, facts, change):
    forged = pl.concat([rows.head(11), changed(rows.tail(1), change)])
    wrong = rows["problem_id"][11]
    with pytest.raises(SchemaError, match=f"in 1 of 12 rows, first problem {wrong}: materialise critical_token_pairs"):
        build_critical_token_pairs(forged, facts(), EXPORT)


BROKEN = [
    ({"rejected_scores": [None, 0.5]}, "rejected_scores: one_per_token"),
    ({"rejected_scores": [0.1] * 9}, "rejected_scores: null_for_the_first_only"),
    ({"chosen_scores": [None, *[1.5] * 7]}, "chosen_scores: within_0_and_1"),
    ({"chosen_weights": [0.0] * 4 + [2.0] * 4}, "chosen_weights: within_0_and_1"),
    ({"chosen_weights": [1.0] * 8}, "chosen_weights: nothing_on_the_prompt"),
    ({"rejected_weights": [0.0] * 9}, "rejected_weights: all_on_the_end"),
    ({"chosen_token_ids": [1, 2, 3, 9, 11, 12, 13, 0]}, "chosen_token_ids: one_prompt"),
    ({"response_start": 9}, "chosen_token_ids: behind_response_start"),
    ({"critical_positions": [3, 6]}, "critical_positions: inside_the_solution"),
    ({"critical_positions": [5, 9]}, "critical_positions: inside_the_solution"),
    ({"critical_positions": [6, 5]}, "critical_positions: rising"),
    ({"critical_nominated_by": ["score", "dice"]}, "critical_nominated_by: known"),
    ({"critical_nominated_by": ["score"]}, "critical_nominated_by: one_per_tested_token"),
    ({"critical_n_with": [8, -1]}, "critical_n_with_correct: at_most_n_with"),
    ({"critical_confirmed": [True, True]}, "critical_confirmed: one_at_most"),
    ({"n_attempts_right": 4}, "n_attempts_right: between_never_and_always"),
    ({"rejected": " "}, "rejected: not_blank"),
]


@pytest.mark.parametrize(("change", "rule"), BROKEN)
def test_rows_that_break_a_rule_of_the_table_are_refused(rows, facts, change, rule):
    with pytest.raises(SchemaError, match=rule):
        build_critical_token_pairs(changed(rows, change), facts(), EXPORT)


def test_a_row_without_a_tested_token_is_in_order(rows, facts):
    untested = {name: [] for name in rows.columns if name.startswith("critical_")}
    draft = build_critical_token_pairs(changed(rows, untested), facts(), EXPORT)
    assert all(counts == {"critical": 0, "not_critical": 0} for counts in draft.label_counts.values())


def test_no_rows_are_no_release_and_a_slice_without_priors_is_none(rows, facts):
    with pytest.raises(NothingToRelease, match=r"there are no rows to release: a pair needs .* raise attempts\.n"):
        build_critical_token_pairs(rows.clear(), facts(), EXPORT)
    with pytest.raises(IncompleteManifest, match="holds no priors of sums-0"):
        build_critical_token_pairs(rows, facts(), Export())


def test_what_confirmations_follow_from_comes_back_from_the_manifest(draft):
    export = Export(
        priors={"a": Priors(rise=0.1)}, confirmation=Confirmation(never=0.02, least=0.2), shares=SplitShares()
    )
    told = Export.of(type(draft.facts)(**{**vars_of(draft.facts), "settings": {"export": export.facts()}}))
    assert told == export


def vars_of(facts):
    return {name: getattr(facts, name) for name in facts.__slots__}


def test_the_exports_hold_the_stable_rows_of_their_split_and_stand_on_card_and_manifest(draft, folder):
    told = {path: json.loads(content) for path, content in draft.attachments.items()}
    stable = {split: frame.filter("is_stable") for split, frame in draft.tables["default"].splits.items()}
    assert {path.split("/")[1].split(".")[0]: one["rejected"] for path, one in told.items()} == {
        split: frame["rejected"].to_list() for split, frame in stable.items()
    }
    assert draft.facts.stages[-1].dropped == {"unstable_tokens": 1}
    listed = {file["path"] for file in json.loads((folder / "manifest.json").read_text())["files"]}
    assert set(told) <= listed
    card = (folder / "README.md").read_text()
    assert f"[`{SCORED}`]({SCORED})" in card
    for words in ("sum over the tokens of either side", "takes the sigmoid at every position", "arXiv:2411.19943"):
        assert words in card


def test_the_export_aligns_with_what_a_real_tokenizer_makes_of_the_texts(tmp_path, facts):
    tokenizer = HFTokenizer(tiny_policy(tmp_path / "tiny"))
    prompt, right, wrong = (1, 2, 3), (11, 12, 4), (11, 13, 5, 6)
    row = pair(3) | {
        "chosen": tokenizer.decode(right),
        "rejected": tokenizer.decode(wrong),
        "templated_prompt": templated(prompt, "", tokenizer) + " ",
        "response_start": 3,
        "chosen_token_ids": [*prompt, *right, 0],
        "chosen_scores": [None, 1.0, 1.0, 0.1, 0.2, 0.3, 0.4],
        "chosen_weights": chosen_weights(7, 3),
        "rejected_token_ids": [*prompt, *wrong, 0],
        "rejected_scores": (scores := [None, 1.0, 1.0, 0.5, 0.6, 0.7, 0.8, 0.9]),
        "rejected_weights": rejected_weights(scores, 3),
    }
    row |= {name: [] for name in row if name.startswith("critical_")}
    shares = SplitShares(test=0.0)
    export = Export(priors=EXPORT.priors, shares=shares)
    draft = build_critical_token_pairs(CRITICAL_TOKEN_PAIRS.frame([row]), facts(), export)
    told = json.loads(draft.attachments[SCORED])
    for side, ids, name in (("pos", right, "chosen"), ("neg", wrong, "rejected")):
        scored = told["prob_result"][0][side]
        whole = tokenizer.encode_whole(told["prompt"][0] + told[name][0])
        assert whole == (*prompt, *ids)
        assert len(scored["ce_prob"]) == len(whole) - 1
        behind = scored["response_start_idx"]
        assert tokenizer.decode(whole[1:][behind:]) == scored["text"]
        assert dict(zip(whole[1:][behind:], scored["ce_prob"][behind:], strict=True)) == dict(
            zip(ids, row[f"{name}_scores"][3:-1], strict=True)
        )


def test_a_good_release_verifies_by_its_folder_alone(folder):
    report = verify(folder)
    assert report.findings == ()
    assert report.checks["answers"].n == 24


def test_a_changed_weight_is_named_by_row_column_and_item(draft, registry):
    train = draft.tables["default"].splits["train"]
    weights = train["rejected_weights"][2].to_list()
    forged = with_value(draft, "default", "train", 2, "rejected_weights", [*weights[:6], 0.5, *weights[7:]])
    assert found(registry.publish(forged).path) == [
        ("labels", f"{SHARD}, row 2, column rejected_weights: item 6 is 0.5, it must be 0.99 by recomputation")
    ]


def test_a_wrong_solution_that_is_right_is_named(draft, registry):
    text = draft.tables["default"].splits["train"]["chosen"][0]
    forged = with_value(draft, "default", "train", 0, "rejected", f"Well: {text}")
    assert [said.split(";")[0] for check, said in found(registry.publish(forged).path) if check == "answers"] == [
        f"{SHARD}, row 0, column rejected: it is different"
    ]


def test_an_export_that_does_not_follow_from_the_rows_is_named(folder):
    told = json.loads((folder / SCORED).read_text())
    told["prob_result"][0]["neg"]["ce_prob"][4] = 0.5
    with_file(folder, SCORED, json.dumps(told).encode())
    assert found(folder) == [("labels", f"{SCORED}: it is not what follows from default")]
    (folder / SCORED).unlink()
    assert ("labels", f"{SCORED}: it is missing, and follows from default") in found(folder)
