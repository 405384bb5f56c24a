"""Triggers: sentences that send a policy back to what it wrote, each a line of its own.

Those of `RETHINK` fit after any response, finished or not; the first one is ID-sampling's (arXiv 2502.05449). The
others follow a step that is known to be wrong; `{step}` is the last right one.
"""

RETHINK = (
    "Wait! Maybe I made some mistakes! I need to rethink from scratch.",
    "Wait, let me go over this again from the start and check every step.",
    "Hold on, something above may be off. I will work through it once more.",
    "Let me verify this by doing it all again, one step at a time.",
)
REDO_STEP = (
    "Wait, that step is not right. Let me do it again.",
    "Hmm, that does not hold. I will redo this step.",
    "No, I made a mistake in the last step. Corrected, it goes like this:",
)
GO_BACK = (
    'Wait, I went wrong after "{step}". Let me go back and continue from there.',
    'Hmm, this does not work out. "{step}" was still right, so I go on from that point.',
)
BEGIN_AGAIN = (
    "Wait, I went wrong at the very first step. Let me begin again.",
    "Hmm, this was wrong from the start. I will do it anew.",
)


def as_line(text: str, trigger: str) -> str:
    """What to append to `text` so that `trigger` is a line of its own, its line break included."""
    opening = "" if not text or text.endswith("\n") else "\n"
    return f"{opening}{trigger}\n"
