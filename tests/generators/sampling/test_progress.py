import asyncio

from generators.sampling.progress import Progress, reported


def test_the_time_of_the_work_stands_still_once_it_has_ended():
    said = []
    progress = Progress("asset", "problems", 2, lambda: 40, said.append)

    async def work():
        async with reported(progress):
            progress.update(2, 2)
        ended = progress.seconds
        await asyncio.sleep(0.01)
        assert progress.seconds == ended > 0

    asyncio.run(work())
    assert said[0].startswith("asset: 2 of 2 problems, 40 tokens generated")
