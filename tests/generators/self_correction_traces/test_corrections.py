"""Which deepened responses are corrections, what the triggers did, and what is masked."""

from dataclasses import replace

import pytest

from filters.answers.checker import Verdict
from generators.records import Attempt, Problem
from generators.self_correction_traces.corrections import (
    GoodPrefix,
    NotCorrected,
    good_prefix,
    masked,
    sampled,
    transitions,
)
from generators.self_correction_traces.records import Boundary, DeepenedResponse, FlawedSolution, MaskedSpan, Segment
from tests.fakes import EOS, CharTokenizer

PROBLEM = Problem(problem_id="p", source="s", prompt="2 + 2?", answer="4")
TOKENIZER = CharTokenizer()
RIGHT, WRONG, NONE, OPEN = Verdict.EQUAL, Verdict.DIFFERENT, Verdict.NO_ANSWER, Verdict.TIMEOUT
TEXTS = ("first go", "second go", "third go", "fourth go")


def response(*verdicts, ended=None, index=3):
    """A response with one part per verdict; all are finished unless `ended` says which ones are."""
    ended = ended or (True,) * len(verdicts)
    segments, boundaries, end = [], [], 0
    for place, (verdict, text, finished) in enumerate(zip(verdicts, TEXTS, ended, strict=False)):
        if place:
            segments.append(Segment(kind="trigger", token_ids=TOKENIZER.encode("\nWait!\n"), text="\nWait!\n"))
        closed = finished and place == len(verdicts) - 1
        ids = (*TOKENIZER.encode(text), EOS) if closed else TOKENIZER.encode(text)
        segments.append(Segment(kind="written", token_ids=ids, text=text))
        end = sum(len(segment.token_ids) for segment in segments)
        generated = end - 7 * place + (0 if closed else finished)
        boundaries.append(
            Boundary(
                end=end,
                generated=generated,
                budget=64,
                end_of_text=EOS if finished else None,
                verdict=verdict,
                extracted=None if verdict is NONE else "4",
            )
        )
    return DeepenedResponse(
        problem_id="p",
        sample_index=index,
        prompt_token_ids=(1, 2),
        segments=tuple(segments),
        boundaries=tuple(boundaries),
        finish_reason="eos" if ended[-1] else "length",
    )


def said(found, *texts):
    """The response with other texts for what the policy wrote; token ids stay as they are."""
    written = iter(texts)
    segments = [replace(part, text=next(written)) if part.kind == "written" else part for part in found.segments]
    return replace(found, segments=tuple(segments))


def test_a_correction_that_states_a_false_equation_is_dropped():
    deepened = response(WRONG, RIGHT)
    fine = sampled(PROBLEM, said(deepened, "2 + 2 = 5", "2 + 2 = 4"))
    false = sampled(PROBLEM, said(deepened, "2 + 2 = 5", "5 - 2 = 4"))
    assert fine.text == "2 + 2 = 5\nWait!\n2 + 2 = 4"
    assert (false.origin, false.reason) == ("sampled", "false_equation")


def test_a_good_prefix_that_states_a_false_equation_is_dropped():
    text = "1 + 1 = 3\n"
    deepened = said(response(WRONG, RIGHT), text + "So 5", "2 + 2 = 4")
    assert sampled(PROBLEM, deepened, good=GoodPrefix(len(text), 3)).reason == "false_equation"
    assert not isinstance(sampled(PROBLEM, deepened), NotCorrected)


@pytest.mark.parametrize(
    ("verdicts", "ended", "reason"),
    [
        ((WRONG,), None, "never_triggered"),
        ((WRONG, WRONG), None, "never_right"),
        ((WRONG, OPEN), None, "never_right"),
        ((RIGHT,), None, "right_at_once"),
        ((RIGHT, WRONG, RIGHT), None, "right_at_once"),
        ((NONE, RIGHT), None, "no_answer_before"),
        ((WRONG, OPEN, RIGHT), None, "undecided_before"),
        ((WRONG, RIGHT), (True, False), "unfinished"),
    ],
)
def test_what_is_no_correction_says_why(verdicts, ended, reason):
    found = sampled(PROBLEM, response(*verdicts, ended=ended))
    assert found == NotCorrected("p", "sampled", 3, reason)


@pytest.mark.parametrize(
    ("verdicts", "n_parts"), [((WRONG, RIGHT), 3), ((NONE, WRONG, RIGHT), 5), ((WRONG, WRONG, RIGHT), 5)]
)
def test_a_correction_has_a_wrong_answer_before_the_last_trigger_and_a_right_one_after_it(verdicts, n_parts):
    one = response(*verdicts)
    found = sampled(PROBLEM, one)
    assert (found.origin, found.attempt_index, found.problem) == ("sampled", 3, PROBLEM)
    assert found.segments == one.segments[:n_parts]
    assert [boundary.verdict for boundary in found.boundaries] == list(verdicts)
    assert found.text == one.text
    assert found.token_ids == one.token_ids


@pytest.mark.parametrize("later", [RIGHT, WRONG])
def test_a_correction_ends_with_its_first_right_answer_and_the_end_of_the_text(later):
    found = sampled(PROBLEM, response(WRONG, RIGHT, later))
    assert found.text == "first go\nWait!\nsecond go"
    assert found.token_ids == (*TOKENIZER.encode(found.text), EOS)
    assert found.boundaries[-1].end == len(found.token_ids)


def test_every_trigger_is_counted_by_what_it_did():
    counted = transitions(
        [
            response(WRONG, RIGHT, WRONG),
            response(RIGHT, RIGHT),
            response(NONE, WRONG),
            response(RIGHT),
            response(OPEN, RIGHT),
        ]
    )
    assert counted == {
        ("wrong", "right"): 1,
        ("right", "wrong"): 1,
        ("right", "right"): 1,
        ("no_answer", "wrong"): 1,
        ("undecided", "right"): 1,
    }


# parts, setting, what is good at the beginning, the masked text
MASKS = [
    ((WRONG, RIGHT), "mistake", GoodPrefix(0, 0), ["first go"]),
    ((WRONG, RIGHT), "mistake", GoodPrefix(6, 6), ["go"]),
    ((WRONG, RIGHT), "mistake", GoodPrefix(99, 99), ["first go"]),
    ((WRONG, RIGHT), "attempt", GoodPrefix(6, 6), ["first go"]),
    ((WRONG, RIGHT), "none", GoodPrefix(0, 0), []),
    ((WRONG, WRONG, RIGHT), "mistake", GoodPrefix(0, 0), ["first go", "second go"]),
    ((WRONG, WRONG, RIGHT), "mistake", GoodPrefix(6, 6), ["go", "second go"]),
    ((NONE, WRONG, RIGHT), "mistake", GoodPrefix(8, 8), ["second go"]),
    ((WRONG, WRONG, RIGHT), "attempt", GoodPrefix(0, 0), ["first go\nWait!\nsecond go"]),
]


@pytest.mark.parametrize(("verdicts", "mask", "good", "texts"), MASKS)
def test_the_mistake_is_masked_and_triggers_and_the_correction_are_learnt(verdicts, mask, good, texts):
    found = sampled(PROBLEM, response(*verdicts), mask=mask, good=good)
    assert [found.text[span.start : span.end] for span in found.masked] == texts
    ids = [TOKENIZER.decode(found.token_ids[span.token_start : span.token_end]) for span in found.masked]
    assert ids == texts


def test_spans_count_characters_and_tokens_apart():
    parts = [
        Segment(kind="written", token_ids=(1,), text="three"),
        Segment(kind="trigger", token_ids=(2, 3), text="!"),
        Segment(kind="written", token_ids=(4,), text="four"),
    ]
    assert masked(parts, "mistake") == (MaskedSpan(start=0, end=5, token_start=0, token_end=1),)
    assert masked(parts * 2, "attempt") == (MaskedSpan(start=0, end=15, token_start=0, token_end=5),)


def test_a_part_without_a_word_is_no_span():
    words = [Segment(kind="written", token_ids=(1,), text="one"), Segment(kind="trigger", token_ids=(2,), text="!")]
    empty = Segment(kind="written", token_ids=(), text="")
    parts = [*words, empty, words[1], words[0]]
    assert masked(parts, "mistake") == (MaskedSpan(start=0, end=3, token_start=0, token_end=1),)


@pytest.mark.parametrize(("first_error", "good"), [(0, GoodPrefix(0, 0)), (1, GoodPrefix(2, 2)), (2, GoodPrefix(4, 4))])
def test_what_is_good_ends_where_the_first_wrong_step_begins(first_error, good):
    attempt = Attempt(
        problem_id="p",
        attempt_index=0,
        prompt_token_ids=(1,),
        token_ids=(*TOKENIZER.encode("a\nb\nc"), EOS),
        text="a\nb\nc",
        finish_reason="eos",
        verdict=WRONG,
        extracted=None,
    )
    flawed = FlawedSolution(attempt=attempt, step_ends=(2, 4, 6), first_error=first_error)
    assert good_prefix(flawed, TOKENIZER) == good
