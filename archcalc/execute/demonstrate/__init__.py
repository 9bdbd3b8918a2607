"""Demonstrations: a layer run by its kernel on small numbers, place by place."""
