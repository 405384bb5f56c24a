import asyncio

import pytest

from generators.sampling.room import Room


def open_together(most, sizes):
    """The most that was open at once, and the order in which the pieces of work began."""

    async def work():
        room, open_now, most_open, began = Room(most), 0, 0, []

        async def piece(number, size):
            nonlocal open_now, most_open
            async with room.taken(size):
                began.append(number)
                open_now += size
                most_open = max(most_open, open_now)
                await asyncio.sleep(0.001 * (number % 3))
                open_now -= size

        await asyncio.gather(*(piece(number, size) for number, size in enumerate(sizes)))
        return most_open, began

    return asyncio.run(work())


# the room, the sizes of the pieces of work, and the most that is open at once
TOGETHER = [(10, [3, 3, 3], 9), (10, [6, 6, 3], 9), (5, [1] * 9, 5), (4, [9, 1, 9], 9), (4, [], 0)]


@pytest.mark.parametrize(("most", "sizes", "together"), TOGETHER)
def test_work_waits_in_its_order_until_there_is_room_and_what_is_too_large_goes_alone(most, sizes, together):
    assert open_together(most, sizes) == (together, list(range(len(sizes))))


def test_work_that_fails_leaves_its_room_to_others():
    async def work():
        room = Room(1)
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                async with room.taken(1):
                    raise ValueError("no")

    asyncio.run(work())


def test_a_room_has_a_size():
    with pytest.raises(ValueError, match="most must be at least 1, got 0"):
        Room(0)
