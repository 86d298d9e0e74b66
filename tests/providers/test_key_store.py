import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet

from addon.providers import BUILT_IN, KeyRing, KeyStore, KeyStoreError, MasterKeyError

KEY = "sk-ant-0123456789abcdef"


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def store(home, **environment):
    return KeyStore(home, environment)


def everything_in(home):
    return b"".join(file.read_bytes() for file in home.iterdir())


def test_a_key_comes_back_in_another_process_and_stands_nowhere_in_clear(home):
    store(home).set("anthropic", KEY)
    assert store(home).get("anthropic") == KEY
    assert store(home).names() == ("anthropic",)
    assert KEY.encode() not in everything_in(home)


def test_nobody_else_can_read_what_is_kept(home):
    store(home).set("anthropic", KEY)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in home.iterdir()}
    assert modes == {"keys.json": 0o600, "keys.secret": 0o600, "keys.lock": 0o600}
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_store_that_is_not_there_holds_nothing_and_makes_no_file(home):
    assert store(home).get("anthropic") is None
    assert store(home).names() == ()
    assert not home.exists()


def test_a_change_shows_at_once_to_those_who_have_read_before(home):
    reader = store(home)
    store(home).set("zai", "first-key")
    assert reader.get("zai") == "first-key"
    store(home).set("zai", "second-key")
    assert reader.get("zai") == "second-key"
    assert store(home).remove("zai")
    assert reader.get("zai") is None
    assert not store(home).remove("zai")


@pytest.mark.parametrize("secret", [Fernet.generate_key().decode(), "a passphrase of my own"])
def test_the_variable_takes_the_place_of_the_key_file(home, secret):
    store(home, DETOUR_KEY=secret).set("zai", KEY)
    assert store(home, DETOUR_KEY=secret).get("zai") == KEY
    assert not (home / "keys.secret").exists()
    assert secret.encode() not in everything_in(home)


def test_a_short_passphrase_is_refused_and_nothing_is_written(home):
    with pytest.raises(MasterKeyError, match="shorter than 12 characters"):
        store(home, DETOUR_KEY="short").set("zai", KEY)
    assert not (home / "keys.json").exists()


def test_a_wrong_key_is_told_and_loses_nothing(home):
    right = store(home, DETOUR_KEY="a passphrase of my own")
    right.set("zai", KEY)
    before = everything_in(home)
    wrong = store(home, DETOUR_KEY="another passphrase here")
    with pytest.raises(KeyStoreError, match=r"zai .* cannot be opened: DETOUR_KEY is not the key"):
        wrong.get("zai")
    with pytest.raises(KeyStoreError, match="cannot be opened"):
        wrong.set("groq", "another-key")
    with pytest.raises(KeyStoreError, match="cannot be opened"):
        wrong.rotate()
    assert everything_in(home) == before
    assert right.get("zai") == KEY


def test_a_lost_key_file_is_told_and_not_made_anew(home):
    store(home).set("zai", KEY)
    (home / "keys.secret").unlink()
    for attempt in (lambda: store(home).get("zai"), lambda: store(home).set("groq", "k")):
        with pytest.raises(MasterKeyError, match=r"keys\.secret is gone"):
            attempt()
    assert not (home / "keys.secret").exists()


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b'{"version": 1}', b'{"version": 1, "salt": "?", "keys": {}}', b"\xff\x00"],
)
def test_a_damaged_file_is_told_and_kept(home, damage):
    store(home).set("zai", KEY)
    (home / "keys.json").write_bytes(damage)
    for attempt in (
        lambda: store(home).get("zai"),
        lambda: store(home).names(),
        lambda: store(home).set("groq", "k"),
        lambda: store(home).remove("zai"),
        lambda: store(home).rotate(),
    ):
        with pytest.raises(KeyStoreError, match="is damaged"):
            attempt()
    assert (home / "keys.json").read_bytes() == damage


def test_a_file_of_a_later_version_is_left_alone(home):
    store(home).set("zai", KEY)
    text = (home / "keys.json").read_text().replace('"version": 1', '"version": 2')
    (home / "keys.json").write_text(text)
    with pytest.raises(KeyStoreError, match="newer Detour"):
        store(home).get("zai")


def test_one_damaged_key_is_named_and_the_others_still_open(home):
    kept = store(home)
    kept.set("zai", KEY)
    kept.set("groq", "the-other")
    token = kept._read().keys["zai"]
    file = home / "keys.json"
    file.write_text(file.read_text().replace(token, token[:-8] + "AAAAAAA="))
    with pytest.raises(KeyStoreError, match="the key of zai"):
        store(home).get("zai")
    assert store(home).get("groq") == "the-other"
    assert store(home).remove("zai")
    assert store(home).get("groq") == "the-other"


def test_rotation_renews_the_key_file_and_every_token(home):
    kept = store(home)
    kept.set("zai", KEY)
    kept.set("groq", "the-other")
    secret, tokens = (home / "keys.secret").read_bytes(), (home / "keys.json").read_bytes()
    assert kept.rotate() == 2
    assert (home / "keys.secret").read_bytes() != secret
    assert (home / "keys.json").read_bytes() != tokens
    assert (store(home).get("zai"), kept.get("groq")) == (KEY, "the-other")


def test_rotation_moves_between_key_file_and_variable(home):
    store(home).set("zai", KEY)
    store(home).rotate("a passphrase of my own")
    assert store(home, DETOUR_KEY="a passphrase of my own").get("zai") == KEY
    store(home, DETOUR_KEY="a passphrase of my own").rotate()
    assert store(home).get("zai") == KEY


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_rotation_that_is_cut_off_loses_nothing(home, monkeypatch, step):
    from addon.providers import key_store

    store(home).set("zai", KEY)
    written = []

    class Killed(BaseException):
        pass

    def cut(write):
        def counting(*arguments):
            written.append(write)
            if len(written) == step:
                raise Killed
            write(*arguments)

        return counting

    for name in ("write_key_file", "write_private"):
        monkeypatch.setattr(key_store, name, cut(getattr(key_store, name)))
    with pytest.raises(Killed):
        store(home).rotate()
    monkeypatch.undo()
    assert store(home).get("zai") == KEY
    store(home).set("groq", "the-other")
    assert store(home).rotate() == 2
    assert len((home / "keys.secret").read_bytes().split()) == 1


def test_keys_set_at_the_same_time_are_all_kept(home):
    program = (
        "import sys; from pathlib import Path; from addon.providers import KeyStore\n"
        "KeyStore(Path(sys.argv[1]), {}).set(sys.argv[2], 'key-of-' + sys.argv[2])"
    )

    def run(name):
        return subprocess.run([sys.executable, "-c", program, str(home), name], check=True)

    store(home).set("first", "k")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, "abcd"))
    assert store(home).names() == ("a", "b", "c", "d", "first")
    assert store(home).get("c") == "key-of-c"


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(KeyStoreError, match="cannot be written"):
        store(tmp_path / "home").set("zai", KEY)


def test_no_key_shows_when_the_store_is_printed(home):
    kept = store(home)
    kept.set("zai", KEY)
    assert KEY not in repr(kept) + str(kept)


def test_the_ring_asks_the_store_last(home):
    kept = store(home)
    kept.set("anthropic", KEY)
    anthropic = BUILT_IN["anthropic"]
    assert KeyRing({}, kept).find(anthropic) == KEY
    assert KeyRing({}, kept).source(anthropic) == "key store"
    ring = KeyRing({"ANTHROPIC_API_KEY": "of-the-environment"}, kept)
    assert ring.find(anthropic) == "of-the-environment"
    assert os.environ.get("DETOUR_KEY") is None
