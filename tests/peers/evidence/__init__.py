"""The tables of docs/reference/evidence.md: what models of other formats give, next to what their own tools state.

`python -m tests.peers.evidence` measures all parts, `python -m tests.peers.evidence keras caffe` these, and each writes
its own table into the page, with versions and date.
"""
