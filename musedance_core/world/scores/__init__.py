"""Scores with exact beats in many styles, played by General MIDI soundfonts, for beat tracking."""
