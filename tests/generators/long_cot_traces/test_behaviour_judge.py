import asyncio

import pytest
from upath import UPath

from generators.engine.protocol import Sampling
from generators.long_cot_traces.behaviour_judge import BehaviourJudgeConfig, judge_behaviours, read_count
from generators.long_cot_traces.behaviour_prompt import MEANINGS
from generators.long_cot_traces.behaviours import KINDS
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from tests.fakes import CharTokenizer, ScriptedEngine


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One: it adds again.\n<count>1</count>", 1),
        ("<count> 12 </count>", 12),
        ("<count>2</count>, no, <COUNT>3</COUNT>.", 3),
        ("<count>none</count>", None),
        ("<count>-1</count>", None),
        ("Three places.", None),
        ("", None),
    ],
)
def test_the_last_count_of_a_judgement_is_read(text, count):
    assert read_count(text) == count


def judged(folder, says):
    """The counts of a judge that says `says[kind]`, and what it was asked."""
    asked = []

    def script(text, seed):
        asked.append(text)
        return says[next(kind for kind in KINDS if MEANINGS[kind] in text)]

    async def work():
        with Ledger(UPath(folder)) as ledger:
            engine = ScriptedEngine(script)
            sampler = Sampler(policy="judge", engine=engine, tokenizer=CharTokenizer(), ledger=ledger)
            config = BehaviourJudgeConfig(sampling=Sampling(temperature=0.0), max_tokens=100)
            return await judge_behaviours("2 + 2?", "Wait, 4.", sampler=sampler, config=config)

    return asyncio.run(work()), asked


def test_each_behaviour_is_asked_for_by_itself(tmp_path):
    says = {kind: f"<count>{number}</count>" for number, kind in enumerate(KINDS)}
    counts, asked = judged(tmp_path, says)
    assert counts == {"verification": 0, "backtracking": 1, "subgoal_setting": 2, "backward_chaining": 3}
    assert len(asked) == 4
    assert all("<problem>\n2 + 2?\n</problem>\n\n<thoughts>\nWait, 4.\n</thoughts>" in text for text in asked)


def test_a_judgement_without_a_number_or_cut_off_is_none(tmp_path):
    says = dict.fromkeys(KINDS, "<count>2</count>") | {"backtracking": "none", "verification": "x" * 200}
    counts, _ = judged(tmp_path, says)
    assert counts == {"verification": None, "backtracking": None, "subgoal_setting": 2, "backward_chaining": 2}
