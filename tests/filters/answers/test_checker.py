import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict, WorkerLimits
from filters.answers.exact import compare_exactly

EQUAL, DIFFERENT, UNPARSED = Verdict.EQUAL, Verdict.DIFFERENT, Verdict.UNPARSED
ENDLESS = "((2^{1000})^{1000})^{1000}"

EXACT = [
    ("18", "18", EQUAL),
    ("18.", "18", EQUAL),
    (r"\$18", "18", EQUAL),
    ("1,200", "1200", EQUAL),
    (r"10{,}080", r"10,\!080", EQUAL),
    ("11/36.", r"\frac{11}{36}", EQUAL),
    ("0.5", r"\frac12", EQUAL),
    ("1 1/2", "1.5", EQUAL),
    (r"137 \frac{1}{2}", "137.5", EQUAL),
    (r"2.5 \times 10^{3}", "2500", EQUAL),
    ("-3/4", r"\frac{3}{-4}", EQUAL),
    ("18 eggs", "18", EQUAL),
    ("864", r"864 \mbox{ inches}^2", EQUAL),
    ("864 square inches", r"864 \mbox{ inches}^2", EQUAL),
    ("90 degrees", r"90^\circ", EQUAL),
    ("x = 5", "5", EQUAL),
    ("(C)", r"\text{(C)}", EQUAL),
    ("C", "(C)", EQUAL),
    ("East", r"\text{east}", EQUAL),
    ("(2,5]", r"\left(2, 5\right]", EQUAL),
    (r"\{1, 2\}", r"\{2, 1\}", EQUAL),
    ("x = 1 or x = -2", "1,-2", EQUAL),
    (r"(-\infty, 2) \cup (3, \infty)", r"(3,\infty)\cup(-\infty,2)", EQUAL),
    (r"\begin{pmatrix} 1 \\ 2/4 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 1/2 \end{pmatrix}", EQUAL),
    ("52_8", "52_{8}", EQUAL),
    ("19", "18", DIFFERENT),
    ("11/2", "1 1/2", DIFFERENT),
    ("0.333", "1/3", DIFFERENT),
    ("36", r"\frac{11}{36}", DIFFERENT),
    ("1e400", "1e401", DIFFERENT),
    ("yes", "18", DIFFERENT),
    ("no", "on", DIFFERENT),
    ("west", r"\text{east}", DIFFERENT),
    ("D", "(C)", DIFFERENT),
    ("[2,5]", "(2,5)", DIFFERENT),
    ("(5,2)", "(2,5)", DIFFERENT),
    (r"(3, \infty)", r"(2, \infty)", DIFFERENT),
    ("1,2", "1,3", DIFFERENT),
    ("53_8", "52_8", DIFFERENT),
    (r"\sum_{k=1}^{10} k", "55", UNPARSED),
    ("2 + 3 = 5", "5", UNPARSED),
    (r"x < 3", "y < 3", UNPARSED),
    ("50%", "0.5", UNPARSED),
    ("50%", "50", UNPARSED),
    ("18 thousand", "18", UNPARSED),
    ("50 cents", "0.5", UNPARSED),
    ("3 hours", "3 minutes", DIFFERENT),
    ("the total is 18 here", "18", UNPARSED),
    ("eighteen", "18", EQUAL),
    ("Evelyn runs", r"\text{Evelyn}", UNPARSED),
    ("-2, 1", "1, -2", UNPARSED),
    ("52", "52_8", UNPARSED),
    (r"2 \le x < 5", "[2,5)", EQUAL),
    ("[2,5)", r"2 \leq x < 5", EQUAL),
    ("x > 3 or x <= -1", r"(-\infty, -1] \cup (3, \infty)", EQUAL),
    ("5 > x > 2", "(2,5)", EQUAL),
    (r"2 < x < 5", "[2,5)", DIFFERENT),
    ("x > 3", "(2, \\infty)", DIFFERENT),
    ("x > 3", "3", DIFFERENT),
    (r"1 \pm \sqrt{19}", r"1 \pm \sqrt{19}", EQUAL),
    (r"1 \pm \sqrt{19}", r"1+\sqrt{19}, 1-\sqrt{19}", EQUAL),
    (r"\{1-\sqrt{5}, -2, 1+\sqrt{5}\}", r"\{1\pm\sqrt{5},-2\}", EQUAL),
    (r"2 \pm \sqrt{19}", r"1 \pm \sqrt{19}", DIFFERENT),
    ("4R^2", "3R^2", DIFFERENT),
    (r"\frac{1}{2^{99}}", r"\frac{1}{2^{98}}", DIFFERENT),
    ("(" * 50 + "1" + ")" * 50, "1", UNPARSED),
    ("7" * 100_000, "7", UNPARSED),
]

SYMBOLIC = [
    (r"\sqrt{117}", r"3\sqrt{13}", EQUAL),
    ("sqrt(2)/2", r"\frac{\sqrt{2}}{2}", EQUAL),
    ("-q + p", "p - q", EQUAL),
    ("ab+2a+5b+10", "(a+5)(b+2)", EQUAL),
    (r"(3, \frac{3\pi}{6})", r"(3, \frac{\pi}{2})", EQUAL),
    ("2x + 2y = 2", "x + y = 1", EQUAL),
    ("y = 3 + 2x", "y = 2x + 3", EQUAL),
    (r"\frac{1}{2004!}", r"\frac{1}{2006!}", UNPARSED),
    (r"\frac{5^{(5^{(5^{(5^5)})} - 4)} - 5}{16}", "3", UNPARSED),
    (r"\sqrt{2", r"\sqrt{2}", UNPARSED),
    ("\x00", "5", UNPARSED),
]


VALUES = [
    ("q - p", "p - q", DIFFERENT),
    (r"4\sqrt(2)", "4", DIFFERENT),
    ("3*x-1*y+13=0", "3x+4y+14=0", DIFFERENT),
    (r"1-\frac{1}{\mathrm{e}}", r"1+\frac{1}{\mathrm{e}}", DIFFERENT),
    (r"(3, \frac{\pi}{3})", r"(3, \frac{\pi}{2})", DIFFERENT),
    ("5n", "5", DIFFERENT),
    (r"\frac{x}{2}", r"\frac{x}{3}", DIFFERENT),
    (r"2\sin(x)", r"2\cos(x)", DIFFERENT),
    ("x^2 + 1 = 0", "x^2 - 1 = 0", DIFFERENT),
]

RULED = [
    ("50%", "0.5", AnswerRule(percent="fraction"), EQUAL),
    ("50%", "50", AnswerRule(percent="fraction"), DIFFERENT),
    ("50%", "50", AnswerRule(percent="number"), EQUAL),
    ("50%", "0.5", AnswerRule(percent="number"), DIFFERENT),
    ("3 hours", "3 minutes", AnswerRule(units="ignored"), EQUAL),
    ("3 hours", "2 minutes", AnswerRule(units="ignored"), DIFFERENT),
    ("-2, 1", "1, -2", AnswerRule(lists="unordered"), EQUAL),
    ("-2, 1", "1, -2", AnswerRule(lists="ordered"), DIFFERENT),
    ("-2, 1, 1", "1, -2, -2", AnswerRule(lists="unordered"), DIFFERENT),
]


@pytest.fixture(scope="module")
def checker():
    with AnswerChecker(WorkerLimits(seconds=20)) as checker:
        yield checker


@pytest.mark.parametrize(("answer", "gold", "verdict"), EXACT)
def test_strings_and_numbers_are_decided_without_algebra(answer, gold, verdict):
    assert compare_exactly(answer, gold).verdict is verdict


@pytest.mark.parametrize(("answer", "gold", "verdict"), SYMBOLIC)
def test_algebra_decides_the_rest_and_never_takes_unlike_for_equal(answer, gold, verdict, checker):
    decision = asyncio.run(checker.compare(answer, gold))
    assert (decision.verdict, decision.tier) == (verdict, "symbolic")


@pytest.mark.parametrize(("answer", "gold", "verdict"), VALUES)
def test_unlike_values_decide_without_algebra(answer, gold, verdict):
    outcome = compare_exactly(answer, gold)
    assert (outcome.verdict, outcome.pending) == (verdict, ())


@pytest.mark.parametrize(("answer", "gold", "rule", "verdict"), RULED)
def test_what_only_the_source_can_say_its_rule_decides(answer, gold, rule, verdict):
    assert compare_exactly(answer, gold, rule).verdict is verdict
    assert compare_exactly(gold, answer, rule).verdict is verdict


@pytest.mark.parametrize(("answer", "gold", "verdict"), EXACT + VALUES)
def test_who_is_called_the_gold_makes_no_difference(answer, gold, verdict):
    assert compare_exactly(gold, answer).verdict is verdict


def test_a_rule_outside_its_choices_is_refused():
    with pytest.raises(ValueError, match="percent must be one of undecided, fraction, number, got 'half'"):
        AnswerRule(percent="half")


def test_a_response_is_decided_by_its_final_answer(checker):
    decision = asyncio.run(checker.check(r"9 * 2 = 18, so \boxed{18}", "18"))
    assert (decision.verdict, decision.extracted, decision.tier) == (EQUAL, "18", "string")


def test_a_response_without_a_final_answer_is_no_answer(checker):
    assert asyncio.run(checker.check("I do not know", "18")).verdict is Verdict.NO_ANSWER
    assert asyncio.run(checker.compare("  ", "18")).verdict is Verdict.NO_ANSWER


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_a_fraction_equals_itself_however_it_is_written(above, below):
    forms = [f"{above}/{below}", rf"\frac{{{above}}}{{{below}}}", rf"$\dfrac{{{above}}}{{{below}}}$."]
    assert {compare_exactly(a, b).verdict for a in forms for b in forms} == {EQUAL}
    assert compare_exactly(f"{above + 1}/{below}", forms[0]).verdict is DIFFERENT


@given(st.text(max_size=40), st.text(alphabet="0123456789,./%()[]{}\\frac sqrtpi$^_=x-", max_size=40))
def test_no_pair_of_texts_raises(answer, gold):
    compare_exactly(answer, gold)
    compare_exactly(gold, answer)


def test_endless_algebra_is_a_timeout_and_the_next_answer_is_decided():
    async def compare():
        with AnswerChecker(WorkerLimits(seconds=3)) as checker:
            ticks = asyncio.create_task(longest_pause())
            endless = await checker.compare(ENDLESS, "x + 3")
            assert not ticks.done()
            ticks.cancel()
            return endless.verdict, (await checker.compare("2^{11}", "2048")).verdict

    assert asyncio.run(compare()) == (Verdict.TIMEOUT, EQUAL)


async def longest_pause():
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.01)
        assert time.perf_counter() - before < 0.5


def test_a_worker_that_dies_is_an_error_and_the_next_answer_is_decided():
    async def compare():
        with AnswerChecker(WorkerLimits(seconds=20)) as checker:
            await checker.compare("2^{10}", "1024")
            under_way = asyncio.create_task(checker.compare(ENDLESS, "x + 3"))
            worker = await asyncio.to_thread(busy_worker)
            worker.send_signal(signal.SIGKILL)
            return (await under_way).verdict, (await checker.compare("2^{11}", "2048")).verdict

    assert asyncio.run(compare()) == (Verdict.ERROR, EQUAL)


def busy_worker():
    while True:
        for child in psutil.Process().children(recursive=True):
            if child.cpu_percent(0.1) > 20:
                return child


def test_workers_die_with_a_killed_owner(tmp_path):
    script = tmp_path / "owner.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import asyncio
            from filters.answers.checker import AnswerChecker, WorkerLimits

            async def main(checker):
                await checker.compare(r"\\sqrt{{x+1}}\\sqrt{{x+1}}", "x + 1")
                print("ready", flush=True)
                await checker.compare("{ENDLESS}", "x + 3")

            if __name__ == "__main__":
                with AnswerChecker(WorkerLimits(seconds=1)) as checker:
                    asyncio.run(main(checker))
            """
        )
    )
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as owner:
        assert owner.stdout.readline() == b"ready\n"
        family = psutil.Process(owner.pid).children(recursive=True)
        owner.kill()
    assert family
    assert not psutil.wait_procs(family, timeout=30)[1]


@pytest.mark.parametrize("bad", [{"processes": 0}, {"seconds": 0}, {"memory_mib": 1}])
def test_limits_out_of_bounds_are_refused_by_name(bad):
    (field,) = bad
    with pytest.raises(ValueError, match=rf"{field} must be .*, got {bad[field]}"):
        WorkerLimits(**bad)


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ("4 + 0", "4", Verdict.EQUAL),
        (r"\frac{3}{4} + \frac{1}{4}", "1", Verdict.EQUAL),
        ("2^{10}", "1024", Verdict.EQUAL),
        ("5!", "120", Verdict.EQUAL),
        ("20! + 1", "20!", Verdict.DIFFERENT),
        ("(1 + 2)(3)", "9", Verdict.EQUAL),
        ("0.1 + 0.2", "0.3", Verdict.EQUAL),
        ("1/2^{99}", "1/2^{98}", Verdict.DIFFERENT),
        ("10^{30} + 1", "10^{30}", Verdict.DIFFERENT),
    ],
)
def test_plain_arithmetic_is_decided_exactly_and_without_a_worker(one, other, verdict):
    with AnswerChecker() as checker:
        decision = asyncio.run(checker.compare(one, other))
    assert (decision.verdict, decision.tier in ("rational", "value")) == (verdict, True)
