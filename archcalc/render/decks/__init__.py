"""Decks: the slides of a lecture on networks, as PowerPoint, PDF and a page of HTML."""
