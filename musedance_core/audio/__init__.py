"""Sound: decoding, beats and log-mel features."""
