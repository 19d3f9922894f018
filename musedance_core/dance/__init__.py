"""Dances on a skeleton: rigs of pictures, motion, posing, skinning, and poses as pictures."""
