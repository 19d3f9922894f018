"""Networks that recognise the moves and dancers of the procedural world."""
