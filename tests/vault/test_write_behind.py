import threading

from addon.vault.write_behind import WriteBehind


def test_changes_that_cannot_be_stored_at_all_do_not_keep_later_ones_from_it(caplog):
    kept = {}
    first = threading.Event()

    def store(changes, touched):
        if ("kind", "odd") in changes:
            first.set()
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates")
        kept.update(changes)
        return True

    writes = WriteBehind(store, lambda: None)
    writes.change({("kind", "odd"): b"1"})
    assert first.wait(5)
    writes.change({("kind", "even"): b"2"})
    writes.close()
    assert kept == {("kind", "even"): b"2"}
    assert "it is given up" in caplog.text
