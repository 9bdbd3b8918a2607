"""Demonstrations as pages that go step by step, and as pictures that move."""
