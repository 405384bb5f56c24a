import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.engine.simulated.vocabulary import ASSISTANT, EOS, SYSTEM, USER, VOCABULARY_SIZE, SimulatedTokenizer

TOKENIZER = SimulatedTokenizer()
ANY_TEXT = st.text() | st.text(alphabet=" 0123456789gives\n\\boxed{}Adng.")
ANY_IDS = st.lists(st.integers(0, 400) | st.integers(0, VOCABULARY_SIZE - 1), max_size=30)


@given(ANY_TEXT)
def test_every_text_comes_back_from_its_ids(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@given(ANY_IDS)
def test_the_pieces_join_to_the_decoded_text(token_ids):
    assert "".join(TOKENIZER.piece(token_id) for token_id in token_ids) == TOKENIZER.decode(token_ids)


@pytest.mark.parametrize(
    ("text", "n_tokens"), [("7", 1), ("42", 1), (" 42", 1), ("105", 2), ("\\boxed{3}", 3), ("né", 2), ("", 0)]
)
def test_numbers_and_words_are_single_tokens(text, n_tokens):
    assert len(TOKENIZER.encode(text)) == n_tokens


def test_a_chat_marks_its_roles_and_ends_ready_for_the_assistant():
    ids = TOKENIZER.chat([{"role": "system", "content": "7"}, {"role": "user", "content": "8"}])
    seven, eight = TOKENIZER.encode("7") + TOKENIZER.encode("8")
    assert ids == (SYSTEM, seven, USER, eight, ASSISTANT)
    assert TOKENIZER.decode((*ids, EOS)) == "78"


def test_an_unknown_role_is_named():
    with pytest.raises(ValueError, match="got 'tool'"):
        TOKENIZER.chat([{"role": "tool", "content": ""}])


@pytest.mark.parametrize("token_id", [-1, VOCABULARY_SIZE])
def test_an_id_outside_the_vocabulary_is_refused(token_id):
    with pytest.raises(ValueError, match=f"got {token_id}"):
        TOKENIZER.decode([token_id])
