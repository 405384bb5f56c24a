import pytest

from generators.engine.embedded import embedded_model
from generators.engine.simulated.vocabulary import EOS, SimulatedTokenizer
from generators.engine.tokenizer import HFTokenizer
from releases.viewing.tokens import pieces, tokenizers

SIMULATED = SimulatedTokenizer()


def test_the_pieces_of_tokens_join_to_the_text_and_a_special_token_is_empty():
    text = "Adding 76 gives 41\n"
    ids = (*SIMULATED.encode(text), EOS)
    assert pieces(SIMULATED, ids, text) == ["Adding", " 76", " gives", " 41", "\n", ""]


def test_tokens_of_another_text_have_no_pieces():
    assert pieces(SIMULATED, SIMULATED.encode("Adding 76"), "Adding 77") is None


@pytest.mark.parametrize("text", ["café 🙂 x", "数 = 5\n", "e\N{COMBINING ACUTE ACCENT}\N{REPLACEMENT CHARACTER}"])
def test_a_character_over_several_tokens_belongs_to_the_last_of_them(text):
    tokenizer = HFTokenizer(embedded_model())
    ids = tokenizer.encode(text)
    found = pieces(tokenizer, ids, text)
    assert len(found) == len(ids) and "".join(found) == text


def test_a_tokenizer_is_found_by_the_policys_name_on_this_machine_alone():
    found = tokenizers()
    assert found("simulated").name == "simulated"
    assert found(f"{embedded_model().name}@0123456789ab").encode("a")
    for unknown in ("nobody--nothing@0123456789ab", "../../etc@0", "a/b/c", ""):
        assert found(unknown) is None


def test_a_named_tokenizer_is_that_of_every_row():
    assert tokenizers("simulated")("anything").name == "simulated"
