"""What stands in the file: rows as letters, a policy that lets nothing in, and a size that is bound."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from generators.datasets import DATASETS
from releases.verification.opened import open_release
from releases.viewing.page import page
from releases.viewing.sheets import ROWS_PER_BLOCK
from releases.viewing.tokens import tokenizers
from tests.releases.forgery import with_value
from tests.releases.viewing.conftest import HOSTILE, release_of, unpacked, written


def test_rows_are_compressed_letters_and_come_back_as_they_are(opened):
    html, told = written(opened)
    main = opened.main
    rows = opened.rows(main)
    head = unpacked(html, "head")
    block = unpacked(html, "rows-0-0")
    names = [column["name"] for column in head["sheets"][0]["columns"]]
    assert head["sheets"][0]["name"] == main and told[0] == f"{main}: all 16 rows"
    assert block[names.index("steps")] == rows["steps"].to_list()
    splits = [split for split, part in opened.parts[main].items() for _ in range(part.rows.height)]
    assert block[names.index("split")] == splits
    assert "token_ids" not in names


def test_text_of_a_row_never_stands_in_the_markup(registry, true_draft):
    hostile = with_value(true_draft, next(iter(true_draft.tables)), "train", 0, "prompt", HOSTILE)
    html, _ = written(open_release(registry.publish(hostile).path))
    assert b"hacked" not in html and b"\x1b" not in html
    assert html.count(b"<script") == html.count(b"</script>")


def test_the_policy_of_the_page_allows_its_own_script_and_style_and_no_network(opened):
    html, _ = written(opened)
    text = html.decode()
    (policy,) = re.findall('http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    allowed = dict(part.split(" ", 1) for part in policy.replace("&#39;", "'").split("; "))
    (script,) = re.findall("<script>(.*?)</script>", text, re.DOTALL)
    (style,) = re.findall("<style>(.*?)</style>", text, re.DOTALL)
    assert allowed == {
        "default-src": "'none'",
        "script-src": f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'",
        "style-src": f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not re.search("https?://|//cdn|@import|url\\(", text)


def test_a_file_that_would_be_too_large_shows_fewer_rows_and_says_so(opened):
    whole, _ = written(opened)
    scripts = len(written(opened, n=1)[0])
    bound = (len(whole) + scripts) // 2
    html, told = written(opened, most_bytes=bound)
    shown = int(re.fullmatch(rf"{opened.main}: (\d+) of 16 rows, whole problems drawn by seed 0", told[0])[1])
    assert len(html) <= bound and 0 < shown < 16
    assert len(unpacked(html, "head")["sheets"][0]["numbers"]) == shown


def test_equal_releases_make_equal_files(opened):
    assert written(opened) == written(opened)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_config_of_every_dataset_is_in_its_file(world, dataset):
    release = release_of(world, dataset)
    html, told = written(release)
    head = unpacked(html, "head")
    assert [sheet["name"] for sheet in head["sheets"]] == [line.split(":")[0] for line in told]
    assert {sheet["name"] for sheet in head["sheets"]} == release.manifest.rows.keys()
    for number, sheet in enumerate(head["sheets"]):
        assert sheet["panels"] or "prompt" in {column["name"] for column in sheet["columns"]}, sheet["name"]
        total = sum(release.manifest.rows[sheet["name"]].values())
        blocks = [unpacked(html, f"rows-{number}-{block}") for block in range(-(-total // ROWS_PER_BLOCK))]
        assert sum(len(block[0]) for block in blocks) == total == len(sheet["numbers"])


def test_a_trainers_tokens_are_texts_that_are_learnt_or_not(world):
    release = release_of(world, next(one for one in DATASETS if one.name == "self_correction_traces"))
    configs = [config for config in release.dataset.configs if "input_ids" in config.schema.columns]
    assert configs
    for config in configs:
        row = release.rows(config.name).row(0, named=True)
        html, _ = page(release, [config.name], n=1000, seed=0, tokenizers=tokenizers())
        (head,) = unpacked(html, "head")["sheets"]
        names = [column["name"] for column in head["columns"]]
        block = unpacked(html, "rows-0-0")
        texts, learnt = (block[names.index(name)][0] for name in ("input_ids", "labels"))
        assert learnt == [label >= 0 for label in row["labels"]]
        assert len(texts) == len(learnt) and "Start with" in "".join(texts)
