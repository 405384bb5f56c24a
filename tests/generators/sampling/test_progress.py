import asyncio

import pytest

from generators.sampling.progress import Progress, Snapshot, reported


def test_the_time_of_the_work_stands_still_once_it_has_ended():
    said = []
    progress = Progress("asset", "problems", 2, lambda: 40, said.append)

    async def work():
        async with reported(progress):
            progress.expect(2, window=1)
            for unit in range(2):
                progress.begin(unit)
                progress.finish(unit)
        ended = progress.seconds
        await asyncio.sleep(0.01)
        assert progress.seconds == ended > 0

    asyncio.run(work())
    assert said[0].startswith("asset: 2 of 2 problems, 40 tokens generated")


@pytest.mark.parametrize("left", [None, 0.0, 75.0])
def test_a_line_of_the_log_is_read_back(left):
    snapshot = Snapshot(unit="pairs", done=3, total=1200, tokens=12345, tokens_per_second=1067.0, seconds_left=left)
    assert Snapshot.parse(str(snapshot)) == snapshot
    assert Snapshot.parse(f"{snapshot}.") is None
