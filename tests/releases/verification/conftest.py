"""A draft published, whatever is wrong with it."""

from collections.abc import Callable

import pytest
from upath import UPath

from releases.draft import Draft
from releases.registry.local import LocalRegistry


@pytest.fixture
def folder_of(tmp_path) -> Callable[[Draft], UPath]:
    """Publish a draft and give the version's folder."""

    def publish(draft: Draft) -> UPath:
        return LocalRegistry(UPath(tmp_path / "releases")).publish(draft).path

    return publish
