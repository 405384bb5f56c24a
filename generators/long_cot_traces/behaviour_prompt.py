"""The prompt of a judge that counts one behaviour in thoughts, as in arXiv 2503.01307; the wording is ours."""

from generators.long_cot_traces.behaviours import Kind

MEANINGS: dict[Kind, str] = {
    "verification": "checks a result that it has reached, by recomputing it, by putting it back or by another way",
    "backtracking": "gives up an approach or takes back a statement as wrong, and goes back to try something else",
    "subgoal_setting": "names a smaller goal, a part or a step of a plan, on the way to the answer",
    "backward_chaining": "starts from the goal or a wanted result, and asks what would be needed to get there",
}

INSTRUCTION = (
    "Below is how somebody thought about a problem. Count the places where the writer {meaning}. A place that does it "
    "over several sentences counts once. Name each place in a few words of its own, then end with the number alone, "
    "in the form <count>3</count>; if there is none, <count>0</count>."
)


def messages(problem: str, thoughts: str, kind: Kind) -> list[dict[str, str]]:
    """A chat that asks how often `thoughts` show a behaviour."""
    instruction = INSTRUCTION.format(meaning=MEANINGS[kind])
    return [
        {
            "role": "user",
            "content": f"{instruction}\n\n<problem>\n{problem}\n</problem>\n\n<thoughts>\n{thoughts}\n</thoughts>",
        }
    ]
