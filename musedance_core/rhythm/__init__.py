"""How motion and music meet: when a video moves and rests, and how near that is to the beats."""
