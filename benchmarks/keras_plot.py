"""Build ResNet-50 with Keras, without weights from elsewhere, and plot it: prints the seconds that both took.

Imports are not counted. It is the process that pictures.py measures: `python benchmarks/keras_plot.py FILE.svg`.
"""

from __future__ import annotations

import sys
import time


def main() -> None:
    """Build, plot, print."""
    import keras
    import pydot  # noqa: F401  (imported by the plot; not counted either)

    start = time.perf_counter()
    model = keras.applications.ResNet50(weights=None)
    keras.utils.plot_model(model, to_file=sys.argv[1], show_shapes=True, show_layer_names=True)
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
