"""Trained values that a map is scaled by, that are added to it or put before it, and tables of embeddings."""

from archcalc.ops import Operations
from tests.ops.rows.row import Row

MAP = (2, 3, 2)

ROWS = [
    Row("parameter", {"shape": "3x2x2"}, (), MAP, 12),
    Row("parameter", {"shape": 5}, (), (5,), 5),
    Row("parameter", {"shape": "3x2x2", "buffer": True}, (), MAP, fixed=0, buffers=12),
    Row("scale", {}, (MAP,), MAP, 2, counts=Operations(0, 12)),
    Row("scale", {"bias": True}, ((4, 3),), (4, 3), 8, counts=Operations(12, 12)),
    Row("scale", {}, ((5,),), (5,), 5, counts=Operations(0, 5)),
    Row("position_embedding", {}, ((4, 3),), (4, 3), 12, counts=Operations(12)),
    Row("position_embedding", {}, (MAP,), MAP, 12, counts=Operations(12)),
    Row("class_token", {}, ((4, 3),), (4, 4), 4),
    Row("class_token", {"num_tokens": 2}, ((4, 3),), (4, 5), 8),
    # Five numbers, and 2×2 of them.
    Row("embedding", {"num_embeddings": 7, "embedding_dim": 3}, ((5,),), (3, 5), 21),
    Row("embedding", {"num_embeddings": 4, "embedding_dim": 3}, ((1, 2, 2),), (3, 2, 2), 12),
    # Six positions by number: a flat row of them, and a map of one channel.
    Row("index_select", {}, ((3, 4), (6,)), (3, 6)),
    Row("index_select", {}, ((3, 4), (1, 3, 2)), (3, 3, 2)),
]
