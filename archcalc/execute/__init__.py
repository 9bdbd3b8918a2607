"""Networks run in numpy: reference kernels, a quick plan, and the runner that compares."""
