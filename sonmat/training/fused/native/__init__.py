"""Element-wise kernels in C, compiled on the machine that runs them; without a compiler PyTorch's own operations are used."""
