"""A plan of a quick execution: fused layers, Winograd convolution, memory used again."""
