"""Sound: decoding, beat tracking, beat grids, log-mel features and envelopes."""
