"""Writes python.safetensors with PyPI's `safetensors` package (0.8.0).

    pip install safetensors==0.8.0 numpy && python make_safetensors.py
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

tensors = {
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "halves": np.arange(4, dtype=np.float16),
    "wide": np.arange(3, dtype=np.int64),
    "bytes": np.arange(5, dtype=np.uint8),
    "flags": np.array([True, False]),
    "scalar": np.array(7.5, dtype=np.float64),
    "empty": np.zeros((0, 4), dtype=np.float32),
}
save_file(tensors, Path(__file__).parent / "python.safetensors", metadata={"format": "np", "é": "ü"})
