import gzip
import json
import re
from base64 import b64decode

import pytest
from upath import UPath

from releases.verification.opened import open_release
from releases.viewing.page import page
from releases.viewing.tokens import tokenizers

HOSTILE = (
    '</script><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
    "\x1b[31m\x07\N{RIGHT-TO-LEFT OVERRIDE}"
)


@pytest.fixture
def opened(registry, true_draft):
    """A small release of process labels."""
    return open_release(registry.publish(true_draft).path)


def written(release, **changes):
    """The HTML of all configs of a release, and what it says."""
    options = {"n": 1000, "seed": 0, "tokenizers": tokenizers()} | changes
    configs = [config.name for config in release.dataset.configs if config.name in release.parts]
    return page(release, configs, **options)


def unpacked(html, name):
    """The JSON of one script element."""
    (text,) = re.findall(f'<script type="text/plain" id="{name}">([^<]*)</script>', html.decode())
    return json.loads(gzip.decompress(b64decode(text)))


def release_of(world, dataset):
    """The first version of a dataset in the shared rounds."""
    return open_release(UPath(world.settings.data_root) / "releases" / dataset.name / "v0.1.0")
