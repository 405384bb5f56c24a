import httpx2
import pytest

from releases.registry.retry import RetryPolicy


def test_a_retry_policy_has_bounds():
    with pytest.raises(ValueError, match="tries must be at least 1, got 0"):
        RetryPolicy(tries=0)
    with pytest.raises(ValueError, match=r"first must be from 0 to longest \(1\), got 2"):
        RetryPolicy(first=2, longest=1)


def test_waits_double_up_to_the_longest():
    waits = []
    answers = iter(range(8))

    def late():
        if next(answers) < 7:
            raise httpx2.ReadTimeout("late")
        return "there"

    assert RetryPolicy(tries=8, first=1, longest=20, sleep=waits.append).call(late) == "there"
    assert [bound / 2 <= wait <= bound for wait, bound in zip(waits, (1, 2, 4, 8, 16, 20, 20), strict=True)] == [
        True
    ] * 7


def test_a_wrong_address_is_not_tried_again():
    def wrong():
        raise httpx2.UnsupportedProtocol("htp")

    with pytest.raises(httpx2.UnsupportedProtocol):
        RetryPolicy(sleep=lambda _: pytest.fail("it waited")).call(wrong)
