"""Records made for tests."""

from addon.ledger import Ledger, Record, timestamp

NOW = 1_800_000_000.0
DAY = 86400.0


def record(number=0, *, ago=0.0, **values):
    given = {"endpoint": "chat", "status": 200, "actual_provider": "anthropic", **values}
    return Record(time=timestamp(NOW - ago), id=f"flow-{number}", **given)


def write(home, *records, **settings):
    ledger = Ledger(home, now=lambda: NOW, **settings)
    for each in records:
        ledger.add(each)
    ledger.close()
