"""Every wire format that Detour speaks, by name."""
