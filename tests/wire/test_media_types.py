import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.wire.media_types import recognise


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"GIF89a....", "image/gif"),
        (b"RIFF\x00\n\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic....", "image/heic"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\r\n%PDF-1.7\n", "application/pdf"),
    ],
)
def test_files_are_known_by_how_they_begin(data, media_type):
    assert recognise(data, "application/octet-stream") == media_type
    assert recognise(data, "text/plain") == media_type


@pytest.mark.parametrize("declared", ["text/plain", "Text/Markdown; charset=utf-8", "text/csv"])
def test_texts_are_what_they_are_called(declared):
    assert recognise("a,b\nü".encode(), declared) == declared.split(";")[0].lower()


@pytest.mark.parametrize(
    ("data", "declared"),
    [
        (b"<html><body>Sign in</body></html>", "text/html"),
        (b"<html>", "image/png"),
        (b"<svg/>", "image/svg+xml"),
        (b"\xff\xfe", "text/plain"),
        (b"a\0b", "text/plain"),
        (b"PK\x03\x04", "application/zip"),
        (b"", ""),
    ],
)
def test_everything_else_is_refused(data, declared):
    assert recognise(data, declared) is None


@given(st.binary(max_size=64), st.text(max_size=20))
def test_nothing_breaks_it(data, declared):
    recognise(data, declared)
