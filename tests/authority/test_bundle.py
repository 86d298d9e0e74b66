"""The bundle of trusted authorities."""

import ssl
import subprocess
from pathlib import Path

import pytest
import trustme

from addon.authority import advice, authority_certificate, open_home, write_bundle
from addon.authority.bundle import NAME, VARIABLES, system_roots


def pem(authority: trustme.CA) -> bytes:
    return authority.cert_pem.bytes()


def certificates(path: Path) -> list[bytes]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    return context.get_ca_certs(binary_form=True)


def test_the_bundle_holds_system_users_own_and_the_proxys_authorities(tmp_path: Path) -> None:
    ours, company, node = trustme.CA(), trustme.CA(), trustme.CA()
    (tmp_path / "company.pem").write_bytes(pem(company))
    (tmp_path / "node.pem").write_bytes(b"# a comment\r\n" + pem(node).replace(b"\n", b"\r\n"))
    environment = {
        "SSL_CERT_FILE": str(tmp_path / "company.pem"),
        "NODE_EXTRA_CA_CERTS": str(tmp_path / "node.pem"),
        "CURL_CA_BUNDLE": str(tmp_path / "not-there.pem"),
        "PIP_CERT": str(tmp_path),
    }
    bundle = write_bundle(tmp_path, pem(ours), environment)
    assert bundle == tmp_path / NAME
    found = certificates(bundle)
    system = tmp_path / "system.pem"
    system.write_bytes(system_roots())
    assert set(certificates(system)) <= set(found)
    assert len(found) == len(set(certificates(system))) + 3


def test_the_bundle_does_not_grow_when_it_is_its_own_source(tmp_path: Path) -> None:
    authority = pem(trustme.CA())
    bundle = write_bundle(tmp_path, authority, {})
    content = bundle.read_bytes()
    environment = dict.fromkeys(VARIABLES, str(bundle))
    assert write_bundle(tmp_path, authority, environment).read_bytes() == content


def test_the_bundle_follows_its_sources_and_is_else_left_alone(tmp_path: Path) -> None:
    first, second = pem(trustme.CA()), pem(trustme.CA())
    bundle = write_bundle(tmp_path, first, {})
    before = bundle.stat()
    assert write_bundle(tmp_path, first, {}).stat().st_mtime_ns == before.st_mtime_ns
    write_bundle(tmp_path, second, {})
    assert second.split() == bundle.read_bytes().split()[-len(second.split()) :]
    assert bundle.stat().st_ino != before.st_ino, "a reader must never see half of it"
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_certifi_stands_in_for_a_system_without_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    import certifi

    nowhere = ssl.DefaultVerifyPaths(None, None, "", "/nowhere", "", "/nowhere")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr("addon.authority.bundle._WELL_KNOWN", ())
    assert system_roots() == Path(certifi.where()).read_bytes()


def test_a_folder_of_roots_is_read_where_there_is_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a.0").write_bytes(pem(trustme.CA()))
    (tmp_path / "readme").write_text("not a certificate")
    paths = ssl.DefaultVerifyPaths(None, None, "", "/nowhere", "", str(tmp_path))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.setattr("addon.authority.bundle._WELL_KNOWN", ())
    assert (tmp_path / "a.0").read_bytes().strip() in system_roots()


def test_the_home_folder_is_its_owners_alone(tmp_path: Path) -> None:
    home = open_home(tmp_path / "deep" / "home")
    assert home.stat().st_mode & 0o777 == 0o700
    home.chmod(0o755)
    assert open_home(home).stat().st_mode & 0o777 == 0o700


def test_the_authority_is_made_once_and_is_an_authority(tmp_path: Path) -> None:
    folder = tmp_path / "confdir"
    first = authority_certificate(folder)
    assert authority_certificate(folder) == first
    assert folder.stat().st_mode & 0o777 == 0o700
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-text"], input=first, capture_output=True, check=True
    )
    assert b"CA:TRUE" in shown.stdout


@pytest.mark.parametrize(
    ("agent", "word", "not_word"),
    [
        ("codex", "CODEX_CA_CERTIFICATE", "NODE_EXTRA"),
        ("opencode", "NODE_EXTRA_CA_CERTS", "CODEX"),
        ("openai-python", "SSL_CERT_FILE", "NODE_EXTRA"),
        ("curl", "CURL_CA_BUNDLE", "CODEX"),
        (None, "keytool", "nothing"),
        ("planner", "CODEX_CA_CERTIFICATE", "nothing"),
    ],
)
def test_advice_fits_the_agent(agent: str | None, word: str, not_word: str) -> None:
    said = advice(agent)
    assert word in said
    assert not_word not in said
    assert "detour run" in said
