"""What several wire formats share below their own words: JSON, SSE framing, byte-exact editing."""
