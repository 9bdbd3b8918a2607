"""Parts of maps, and channels and positions in another order, worked out by hand. They calculate nothing."""

from tests.ops.rows.row import Row

MAP = (6, 4, 5)

ROWS = [
    Row("chunk", {"chunks": 2}, (MAP,), (3, 4, 5)),
    # ⌈5/2⌉ columns, then the rest.
    Row("chunk", {"chunks": 2, "index": 0, "axis": "width"}, (MAP,), (6, 4, 3)),
    Row("chunk", {"chunks": 2, "index": 1, "axis": "width"}, (MAP,), (6, 4, 2)),
    Row("chunk", {"chunks": 3, "index": 2}, ((6,),), (2,)),
    Row("split", {"sizes": [1, 3, 2], "index": 1}, (MAP,), (3, 4, 5)),
    Row("split", {"sizes": 4, "index": 1}, ((6, 3),), (2, 3)),
    Row("split", {"sizes": [1, 2], "index": 1, "axis": "length"}, ((6, 3),), (6, 2)),
    Row("narrow", {"start": 1, "length": 2}, (MAP,), (2, 4, 5)),
    # Rows 1 and 3; of 7 the 0th, 3rd and 6th.
    Row("narrow", {"axis": "height", "start": 1, "step": 2}, (MAP,), (6, 2, 5)),
    Row("narrow", {"axis": "length", "step": 3}, ((2, 7),), (2, 3)),
    Row("narrow", {"axis": "depth", "length": 1}, ((2, 2, 3, 1),), (2, 1, 3, 1)),
    Row("channel_shuffle", {"groups": 2}, (MAP,), MAP),
    Row("channel_shuffle", {"groups": 3}, ((6,),), (6,)),
    Row("permute", {"dims": ["height", "width", "channels"]}, (MAP,), (4, 5, 6)),
    Row("permute", {"dims": ["channels", "width", "depth", "height"]}, ((2, 1, 3, 2),), (2, 2, 1, 3)),
    Row("transpose", {"dims": ["channels", "length"]}, ((6, 4),), (4, 6)),
    Row("transpose", {"dims": ["height", "width"]}, (MAP,), (6, 5, 4)),
    # Shi et al. 2016: H×W×C·r² becomes rH×rW×C.
    Row("pixel_shuffle", {"upscale_factor": 2}, ((8, 2, 3),), (2, 4, 6)),
    Row("pixel_shuffle", {"upscale_factor": 3}, ((3, 2),), (1, 6)),
    Row("pixel_shuffle", {"upscale_factor": 2}, ((8, 1, 2, 1),), (1, 2, 4, 2)),
    # Redmon & Farhadi 2016: 26×26×512 becomes 13×13×2048.
    Row("pixel_unshuffle", {"downscale_factor": 2}, ((3, 4, 6),), (12, 2, 3)),
    Row("pixel_unshuffle", {"downscale_factor": 3}, ((2, 6),), (6, 2)),
    Row("tokens", {}, (MAP,), (6, 20)),
    Row("tokens", {}, ((2, 2, 3, 2),), (2, 12)),
    Row("grid", {}, ((3, 9),), (3, 3, 3)),
    Row("grid", {"size": [2, 6]}, ((3, 12),), (3, 2, 6)),
    Row("grid", {"size": [2, 3, 2]}, ((2, 12),), (2, 2, 3, 2)),
    Row("roll", {"shifts": -1}, (MAP,), MAP),
    Row("roll", {"shifts": [3, 1]}, (MAP,), MAP),
    Row("roll", {"shifts": 2}, ((3, 5),), (3, 5)),
]
