"""One run: its options, its frames, and the driver that answers its host calls."""
