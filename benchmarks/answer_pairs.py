"""A hand-made table of answer pairs with their true relation, and hostile inputs for an answer checker."""

from pathlib import Path

from filters.answers.checker import Verdict

TABLE = Path(__file__).with_suffix(".txt")


def answer_pairs() -> list[tuple[str, str, Verdict]]:
    """The table's rows: answer, gold answer and their true relation."""
    pairs = []
    relation = None
    known = {f"[{verdict}]": verdict for verdict in Verdict}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line in known:
            relation = known[line]
        elif " ;; " in line and not line.startswith("#"):
            answer, gold = line.split(" ;; ")
            if relation is None:
                raise ValueError(f"{TABLE.name}: the pair {line!r} stands above every [relation]")
            pairs.append((answer, gold, relation))
    return pairs


def hostile_answers() -> list[str]:
    """Answers that make a naive checker hang, crash or decide wrongly."""
    towers = [
        r"\frac{5^{(5^{(5^{(5^5)})} - 4)} - 5}{16}",
        "9^{9^{9^9}}",
        "9^9^9^9",
        "((2^{1000})^{1000})^{1000}",
        "(((7^{999})^{999})^{999})^{999}",
        "2^{2^{2^{2^{2^{2}}}}}",
        r"e^{e^{e^{e^{e}}}}",
        "10^{10^{100}}",
        "(1+10^{-100})^{10^{100}}",
        "x^{1000}-y^{1000}",
        "(x+1)^{1000}",
        "((x+1)^{500}+(y+2)^{500})^{500}",
    ]
    factorials = ["100000!", "(10!)!", "((5!)!)!", "1000000000!", "5!!!!!!!", "(200!)^{200}", "200!^{999}"]
    bounds = [
        r"\sum_{k=1}^{10^{100}} k",
        r"\sum_{k=1}^{\infty} \frac{1}{k^{k}}",
        r"\prod_{k=1}^{1000000000} k",
        r"\int_0^{10^{99}} e^{-x^2} dx",
        r"\lim_{n\to\infty} (1+1/n)^{n}",
        r"\binom{1000000000}{500000000}",
    ]
    braces = [
        "{" * 5000,
        "}" * 5000,
        r"\boxed{" * 2000,
        r"\frac{" * 3000,
        r"\sqrt{2",
        "(((1)",
        r"\frac{1}{",
        r"\left(1,2",
        r"\begin{pmatrix} 1 & 2 \\ 3",
        "[1,2}",
        "x^{",
        "}{",
    ]
    long = [
        "7" * 100_000,
        "1+" * 50_000 + "1",
        "x" * 100_000,
        "1," * 50_000 + "1",
        " " * 100_000 + "5",
        r"\sqrt{" * 20_000 + "2" + "}" * 20_000,
        "the answer is " * 8_000,
        "####" * 25_000,
        "9." * 50_000,
        "a b " * 25_000,
        "$" * 100_000,
        "\\" * 100_000,
        "^" * 100_000,
        "1" + "0" * 99_999,
    ]
    deep = [
        "(" * 200 + "1" + ")" * 200,
        "[" * 90 + "1,2" + "]" * 90,
        r"\frac{1}{1+" * 60 + "1" + "}" * 60,
        "-" * 900 + "1",
    ]
    odd = [
        "\x00",
        "5\x00",
        "\x00" * 10_000,
        "\ud800",
        "5\udfff",
        "\u0665",
        "５",
        "１／２",
        "٣٫٥",
        "\u200b5",
        "5\u202e",
        "x\u0301" * 500,
        "𝟓",
        "О",
        "1e999999999",
        "1e-999999999",
        "1/0",
        r"\frac{0}{0}",
        "nan",
        "inf",
        "__import__('os').system('true')",
        "lambda: 0",
        "%s%s%n",
        "\n\n\n",
    ]
    return [*towers, *factorials, *bounds, *braces, *long, *deep, *odd]
