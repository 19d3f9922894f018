"""Sampling one dance: guidance, samplers, segments and compositing."""
