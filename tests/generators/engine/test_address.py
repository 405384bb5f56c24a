from base64 import b64decode

import pytest

from generators.engine.address import Address, keep_credentials, scrubbed


def decoded(address):
    return address.authorization and b64decode(address.authorization.removeprefix("Basic ")).decode()


@pytest.mark.parametrize(
    ("url", "root", "credentials"),
    [
        ("http://host:8000", "http://host:8000", None),
        ("http://host:8000/v1/", "http://host:8000", None),
        ("https://host/models/a/v1", "https://host/models/a", None),
        ("http://ann:s3cret@host:8000/v1", "http://host:8000", "ann:s3cret"),
        ("http://ann:p%40ss%2Fword@host", "http://host", "ann:p@ss/word"),
        ("http://ann:p@ss@host", "http://host", "ann:p@ss"),
        ("http://token@host", "http://host", "token:"),
        ("http://ann:s3cret@[::1]:8000", "http://[::1]:8000", "ann:s3cret"),
    ],
)
def test_an_address_is_a_root_without_credentials_and_these(url, root, credentials):
    address = Address.of(url)
    assert (address.root, decoded(address)) == (root, credentials)
    assert repr(address) == f"Address(root={root!r})"


@pytest.mark.parametrize(
    "url",
    [
        "ann:s3cret@host:8000",
        "ftp://ann:s3cret@host",
        "http://ann:s3cret@",
        "http://ann:s3cret@host:port",
        "http://ann:s3cret@host?key=1",
    ],
)
def test_a_wrong_address_is_refused_in_a_sentence_without_its_credentials(url):
    with pytest.raises(ValueError, match=r"url must be an http:// or https:// address") as refused:
        Address.of(url)
    assert "s3cret" not in str(refused.value)


def test_credentials_that_were_kept_are_found_again_by_the_root():
    assert keep_credentials("http://ann:s3cret@kept-host:1/v1") == "http://kept-host:1"
    assert decoded(Address.of("http://kept-host:1")) == "ann:s3cret"
    assert decoded(Address.of("http://kept-host:2")) is None


def test_a_request_has_credentials_or_a_key_and_never_both():
    assert Address.of("http://host").headers("key") == {"Authorization": "Bearer key"}
    assert Address.of("http://host").headers(None) == {}
    with pytest.raises(ValueError, match=r"api_key must not be set for http://host, whose url holds credentials"):
        Address.of("http://ann:s3cret@host").headers("key")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see http://ann:s3cret@host/a and more", "see http://***@host/a and more"),
        ("http://a:b@one,http://c:d@two", "http://***@one,http://***@two"),
        ("url='ann:s3cret@host'", "url='***@host'"),
        ("nothing at http://host/", "nothing at http://host/"),
        ("mail ann@host", "mail ann@host"),
    ],
)
def test_credentials_of_every_url_in_a_text_are_scrubbed(text, shown):
    assert scrubbed(text) == shown
