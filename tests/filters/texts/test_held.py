from hypothesis import given, settings
from hypothesis import strategies as st

from filters.texts.held import Held, hashes_of

WORDS = st.lists(st.sampled_from("abcd"), min_size=2, max_size=9)


@settings(max_examples=200, deadline=None)
@given(
    items=st.lists(WORDS, min_size=1, max_size=6),
    text=WORDS,
    n=st.sampled_from([1, 2]),
    least=st.sampled_from([0.3, 0.5, 0.7, 1.0]),
)
def test_the_rarest_ngrams_find_what_a_comparison_with_every_item_finds(items, text, n, least):
    held = Held(n, least)
    for number, item in enumerate(items):
        held.add(number, item)
    grams = hashes_of(text, n)
    of_all = {number: len(grams & hashes_of(item, n)) / len(hashes_of(item, n)) for number, item in enumerate(items)}
    assert dict(held.shares(grams)) == {number: share for number, share in of_all.items() if share >= least}


def test_items_that_share_only_a_template_with_a_text_are_not_looked_at():
    held = Held(1, 0.7)
    for number in range(500):
        held.add(number, ["one", "passage", "of", "all", *(f"{word}{number}" for word in "stuv")])
    text = ["one", "passage", "of", "all", *(f"{word}7" for word in "stuv")]
    assert held.candidates(hashes_of(text, 1)) == [7]
