"""Where Ollama is, by its own variable."""

import pytest

from addon.engine.ollama_host import ollama_url


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("", None),
        (" ", None),
        ("box", "http://box:11434"),
        ("box:8000", "http://box:8000"),
        (":8000", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("'0.0.0.0:80'", "http://127.0.0.1:80"),
        ("[::]:8000", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("::1", "http://[::1]:11434"),
        ("http://box", "http://box:80"),
        ("https://box/ollama", "https://box:443"),
        ("https://box:8000", "https://box:8000"),
        ("box:nonsense", "http://box:11434"),
        ("box:99999", "http://box:11434"),
    ],
)
def test_it_is_read_as_ollama_reads_it(said, url):
    assert ollama_url({"OLLAMA_HOST": said}) == url
    assert ollama_url({}) is None
