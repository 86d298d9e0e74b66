from hypothesis import given
from hypothesis import strategies as st

from addon.sockets.lanes import MOST_LANES, MOST_RUNNING, MOST_WAITING, Lanes
from addon.sockets.messages import Create


def ask(lane, number=0):
    return Create(body=str(number).encode(), stream_id=lane)


@given(st.lists(st.integers(0, 25)), st.randoms())
def test_each_lane_keeps_its_order_and_few_run_at_once(numbers, random):
    lanes = Lanes()
    asked, running, ended = [], [], []
    for position, number in enumerate(numbers):
        create = ask(str(number), position)
        if lanes.add(create) is None:
            asked.append(create)
        while (begun := lanes.begin_next()) is not None:
            running.append(begun)
        assert lanes.running == len(running) <= MOST_RUNNING
        assert len({create.stream_id for create in running}) == len(running)
        if running and random.random() < 0.5:
            ended.append(running.pop(random.randrange(len(running))))
            lanes.end(ended[-1])
    while running or (begun := lanes.begin_next()):
        create = running.pop() if running else begun
        ended.append(create)
        lanes.end(create)
    for number in set(numbers):
        lane = str(number)
        of_lane = [create for create in asked if create.stream_id == lane]
        assert [create for create in ended if create.stream_id == lane] == of_lane


def test_lanes_and_waiting_are_limited():
    lanes = Lanes()
    for number in range(MOST_LANES):
        assert lanes.add(ask(str(number))) is None
    assert lanes.add(ask(None)) is None
    assert lanes.add(ask("one more")).param == "stream_id"
    for number in range(MOST_WAITING - MOST_LANES - 1):
        assert lanes.add(ask("0", number)) is None
    assert lanes.add(ask("0")).kind == "rate_limit"
    assert len(lanes.take_waiting()) == MOST_WAITING
    assert lanes.begin_next() is None
