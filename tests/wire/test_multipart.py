import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.wire.multipart import find_field

BOUNDARY = "----WebKitFormBoundary7MA4"


def form(*parts, boundary=BOUNDARY):
    pieces = [
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value + b"\r\n"
        for head, value in parts
    ]
    return b"".join(pieces) + f"--{boundary}--\r\n".encode()


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_field_is_found_wherever_it_stands(quote):
    body = form(
        ('name="file"; filename="model"\r\nContent-Type: audio/wav', b'x name="model"\r\n\r\nno'),
        ('name="models"', b"neither"),
        ('name="model"', b"whisper-1"),
        ('name="model"', b"second"),
    )
    span = find_field(body, f"multipart/form-data; boundary={quote}{BOUNDARY}{quote}", "model")
    assert body[span.start : span.end] == b"whisper-1"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (form(("name=file", b"x")), f"multipart/form-data; boundary={BOUNDARY}"),
        (form(('name="model"', b"x")), "application/json"),
        (form(('name="model"', b"x")), "multipart/form-data; boundary=other"),
        (form(('name="model"', b"x"))[:-30], f"multipart/form-data; boundary={BOUNDARY}"),
        (b"", "multipart/form-data; boundary=x"),
    ],
)
def test_what_is_not_there_is_not_found(body, content_type):
    assert find_field(body, content_type, "model") is None


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_a_file_of_any_bytes_is_stepped_over(content, value):
    if BOUNDARY.encode() in content + value:
        return
    body = form(('name="file"; filename="a"', content), ('name="model"', value))
    span = find_field(body, f"multipart/form-data; boundary={BOUNDARY}", "model")
    assert body[span.start : span.end] == value
