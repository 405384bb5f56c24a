import polars as pl
import pytest

from filters.rules import apply_rules
from filters.texts.language import in_language

ENGLISH = [
    "Ann has 12 apples and gives 5 of them to her brother. How many apples does she have now?",
    "Compute $\\sin 60^\\circ$.",
    "Solve for $x$: $2x + 3 = 11$.",
    "Let $A = (1,-11,2),$ $B = (3,-4,1),$ and $C = (-2,1,-1).$  Compute the area of the triangle.",
    "Find the vertex of the graph of the equation $y = -2x^2 + 8x - 15.$",
]
UNDECIDED = ["", "4 + 7 - 2 =", "$x$", "\\[\\frac{\\sec x}{\\sin x} - \\frac{\\sin x}{\\cos x}\\]", "?"]
GERMAN = [
    "Anna hat 12 Äpfel und gibt ihrem Bruder 5 davon. Wie viele Äpfel hat sie noch?",
    "Wie groß ist die Summe der ersten 20 natürlichen Zahlen?",
]
OTHERS = [
    "Un train parcourt 240 km en 3 heures. Quelle est sa vitesse moyenne ?",
    "María compra 3 libros por 12 euros cada uno. ¿Cuánto gasta en total?",
    "Maria compra 3 livros por 12 euros cada um. Quanto gasta no total?",
    "Un contadino ha 24 pecore e ne vende 7. Quante pecore gli restano?",
    "Een boer heeft 24 schapen en verkoopt er 7. Hoeveel schapen houdt hij over?",
    "Rolnik ma 24 owce i sprzedaje 7. Ile owiec mu zostało?",
    "Lantbrukaren har 24 får och säljer 7. Hur många får har han kvar?",
    "Bir çiftçinin 24 koyunu var ve 7 tanesini satıyor. Kaç koyunu kalır?",
]

CHINESE = [
    "一盘花生有48颗，梅梅拿出几颗后，还剩下40颗？",
    "弟弟今年4岁，哥哥比弟弟大8岁，2年前哥哥多少岁？",
    "已知 \\cos (\\alpha+\\beta)=m, \\tan \\alpha \\tan \\beta=2, 则 \\cos (\\alpha-\\beta)= ( ) A. -3 m",
    "若 $z(1+i)=2i$, 则 $z=$ ( )",
    "设函数 $f(x)=\\left\\{\\begin{array}{l}-x^{2}+2, x \\leq 1, \\\\ x-1, x>1,\\end{array}\\right.$ 则 $f(f(2))=$",
]
NEIGHBOURS = [
    ("Bonden har 24 sauer og selger 7 av dem. Hvor mange sauer har han igjen nå?", "nn"),
    ("Seljak ima 24 ovce i proda 7 ovaca. Koliko ovaca mu je ostalo na kraju dana?", "sr"),
    ("Petani itu memiliki 24 ekor domba dan menjual 7 ekor. Berapa ekor domba yang tersisa?", "ms"),
]
PRICES = "Ann buys a hat for $12 and a coat for $35. She pays with a $100 bill. How much money does she get back?"


def dropped(texts, language="en", **settings):
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    made = apply_rules(frame, in_language("text", language, **settings))
    assert made.counts() == ({"other_language": made.dropped.height} if made.dropped.height else {})
    return made.dropped["text"].to_list()


def test_the_asked_language_formulas_and_short_texts_pass():
    assert dropped(ENGLISH + UNDECIDED) == []


def test_other_languages_in_latin_script_do_not():
    assert dropped(GERMAN + OTHERS) == GERMAN + OTHERS


def test_which_language_is_asked_is_the_callers_choice():
    assert dropped(GERMAN + UNDECIDED, "de") == []
    assert dropped([ENGLISH[0]], "de") == [ENGLISH[0]]


def test_chinese_is_not_english_whichever_kind_of_chinese_and_however_many_formulas():
    assert dropped(CHINESE) == CHINESE
    assert [dropped(CHINESE, language) for language in ("zh", "yue", "wuu")] == [[], [], []]


@pytest.mark.parametrize(("text", "neighbour"), NEIGHBOURS)
def test_languages_that_the_model_cannot_tell_apart_count_together(text, neighbour):
    assert dropped([text], neighbour) == []
    assert dropped([text]) == [text]


def test_what_stands_between_two_prices_is_prose():
    assert dropped([PRICES], "de") == [PRICES]


@pytest.mark.parametrize("text", ["\\[" * 20_000, "$" * 20_001, "\0" * 20_000, "最" * 20_000, "a" * 200_000])
def test_no_text_raises_or_takes_long(text):
    dropped([text])


def test_a_missing_text_is_dropped():
    assert dropped([None, ENGLISH[0]]) == [None]


@pytest.mark.parametrize(
    ("language", "certainty", "message"),
    [
        ("xx", 0.5, "language must be one of ace, .*, got 'xx'"),
        ("en", 1, "certainty must be above 0 and below 1, got 1"),
    ],
)
def test_settings_out_of_bounds_are_refused_by_name(language, certainty, message):
    with pytest.raises(ValueError, match=message):
        in_language("text", language, certainty=certainty)
