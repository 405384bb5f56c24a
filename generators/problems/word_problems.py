"""Worked examples of word problems, for a small policy that would not end with a box by an instruction alone.

They are ordered from short to long, since the last one is imitated most.
"""

from generators.problems.prompt import Example

EXAMPLES: tuple[Example, ...] = (
    (
        "Sam has 6 pens and buys 3 more. How many pens does he have?",
        "Sam has 6 pens and gets 3 more.\n6 + 3 = 9\nThe answer is \\boxed{9}.",
    ),
    (
        "There are 17 birds in a tree and 8 fly away. How many birds are left?",
        "There are 17 birds and 8 go.\n17 - 8 = 9\nThe answer is \\boxed{9}.",
    ),
    (
        "A box holds 4 cups. How many cups do 5 boxes hold?",
        "There are 5 boxes with 4 cups each.\n5 * 4 = 20\nThe answer is \\boxed{20}.",
    ),
    (
        "Kim shares 24 cards equally among 6 friends. How many cards does each friend get?",
        "There are 24 cards for 6 friends.\n24 / 6 = 4\nThe answer is \\boxed{4}.",
    ),
    (
        "A ticket costs 5 dollars. Eva buys 3 tickets with a 20 dollar note. How many dollars does she get back?",
        "3 tickets cost 5 dollars each.\n3 * 5 = 15\nShe pays with 20 dollars.\n20 - 15 = 5\nThe answer is \\boxed{5}.",
    ),
)
