import re
import zlib

import numpy as np
import polars as pl
import pytest

from filters.texts.embeddings import EmbeddingError, Embeddings, drop_rephrased, encoder, without_rephrased

STORY = "Ann owns 12 apples and hands 5 to her brother. How many apples are left?"
REPHRASED = "Her brother was handed 5 of the 12 apples Ann owned. What number of apples remains?"
RENUMBERED = REPHRASED.replace("12", "13")
OTHER = "A train covers 240 km in 3 hours. What is its mean speed?"
SYNONYMS = {"owned": "owns", "handed": "hands", "was": "", "remains": "left", "the": "", "and": "", "of": ""}


def by_words(texts):
    """Vectors of words whose order does not count, with the synonyms of the tests as one word."""
    vectors = np.zeros((len(texts), 256), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in re.findall("[a-z]{3,}", text):
            if word := SYNONYMS.get(word, word):
                vectors[row, zlib.crc32(word.encode()) % 256] += 1
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


WORDS = Embeddings(encode=by_words, threshold=0.8)


def dropped(*texts, embeddings=WORDS):
    rows = pl.DataFrame({"prompt": texts}, schema={"prompt": pl.String}).with_row_index("number")
    made = drop_rephrased(rows, column="prompt", embeddings=embeddings)
    assert made.kept.height + made.dropped.height == len(texts)
    return made.dropped.select("number", "repeats_row", "reason").rows()


@pytest.mark.parametrize(
    ("text", "other", "is_dropped"),
    [
        (STORY, REPHRASED, True),
        (STORY, RENUMBERED, False),
        (STORY, OTHER, False),
        (STORY, STORY.replace("are left", "are not left"), False),
        ("Find the greatest prime below ninety.", "What is the prime below ninety that is least?", False),
        (STORY, f"{REPHRASED} Please reason step by step, and put your final answer within \\boxed{{}}.", True),
        ("", "", False),
    ],
)
def test_a_rephrased_copy_is_dropped_unless_a_number_or_an_opposite_differs(text, other, is_dropped):
    assert dropped(text, other) == ([(1, 0, "rephrased")] if is_dropped else [])


def test_rows_are_found_among_many_and_missing_texts_are_kept():
    many = [f"Count the {left} near the {right}." for left in "abcdefgh" for right in "klmnopqrst"]
    assert dropped(None, *many[:3], STORY, None, OTHER, REPHRASED, embeddings=Embeddings(encode=by_words)) != []
    assert dropped() == []


def test_a_rephrased_item_is_found_and_shown():
    items = pl.DataFrame({"evaluation_set": ["e", "e"], "item": ["1", "2"], "text": [OTHER, STORY]})
    rows = pl.DataFrame({"id": ["a", "b", "c"], "prompt": [REPHRASED, RENUMBERED, None]})
    found = without_rephrased(rows, items, key="id", column="prompt", embeddings=WORDS)
    assert found.matches.select("key", "item", "path", "item_text").rows() == [("a", "2", "embedding", STORY)]
    assert found.filtered.kept["id"].to_list() == ["b", "c"]
    assert found.filtered.dropped["reason"].to_list() == ["in_evaluation_set"]
    assert without_rephrased(rows, items.clear(), key="id", column="prompt", embeddings=WORDS).filtered.kept.height == 3


def test_a_threshold_out_of_bounds_is_refused_by_name():
    with pytest.raises(ValueError, match="threshold must be above 0 and at most 1, got 0"):
        Embeddings(encode=by_words, threshold=0)


def test_a_missing_model_or_library_says_what_to_do(tmp_path):
    with pytest.raises(EmbeddingError, match=r"embeddings\]|embedding_model must be the id or the folder"):
        encoder(str(tmp_path / "nowhere"))


@pytest.fixture
def model(tmp_path):
    """A folder as sentence-transformers saves it: each word has a vector, those of synonyms are equal."""
    library = pytest.importorskip("sentence_transformers")
    modules = pytest.importorskip("sentence_transformers.models")
    tokenizers = pytest.importorskip("tokenizers")
    torch = pytest.importorskip("torch")
    words = sorted({word for text in (STORY, REPHRASED, OTHER) for word in re.findall("[a-z]+|[0-9]+", text.lower())})
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: index for index, word in enumerate(["[UNK]", *words])}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    weights = torch.tensor(by_words(["", *(f"{word}" for word in words)]))
    static = modules.StaticEmbedding(tokenizer, embedding_weights=weights)
    library.SentenceTransformer(modules=[static], device="cpu").save(str(tmp_path / "model"))
    return str(tmp_path / "model")


@pytest.mark.filterwarnings("ignore")
def test_a_saved_model_finds_the_rephrased_copy(model):
    embeddings = Embeddings(encode=encoder(model), threshold=0.8)
    assert dropped(STORY, REPHRASED, RENUMBERED, OTHER, embeddings=embeddings) == [(1, 0, "rephrased")]
