"""Writes python.gguf with PyPI's `gguf` package (0.19.0), and python.json: what its reader finds in it.

    pip install gguf==0.19.0 && python make_gguf.py
"""

import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter

HERE = Path(__file__).parent
PATH = HERE / "python.gguf"


def write():
    writer = GGUFWriter(PATH, "llama")
    writer.add_uint8("test.u8", 200)
    writer.add_int8("test.i8", -100)
    writer.add_uint16("test.u16", 60000)
    writer.add_int16("test.i16", -30000)
    writer.add_uint32("test.u32", 4_000_000_000)
    writer.add_int32("test.i32", -2_000_000_000)
    writer.add_float32("test.f32", 0.5)
    writer.add_uint64("test.u64", 2**63 + 1)
    writer.add_int64("test.i64", -(2**62))
    writer.add_float64("test.f64", 1e-300)
    writer.add_bool("test.yes", True)
    writer.add_bool("test.no", False)
    writer.add_string("test.text", "Grüße, 世界 🌍\n")
    writer.add_array("test.texts", ["", "a", "▁été", "🦀"])
    writer.add_array("test.i32s", [-1, 0, 1])
    writer.add_array("test.f32s", [0.25, -0.25])
    writer.add_array("test.bools", [True, False, True])
    writer.add_key_value("test.bytes", bytes([0, 1, 255]), GGUFValueType.ARRAY, GGUFValueType.UINT8)
    writer.add_custom_alignment(64)

    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    writer.add_tensor("matrix", numbers)
    writer.add_tensor("halves", numbers.astype(np.float16).reshape(1, 2, 3))
    writer.add_tensor("ints", np.arange(-2, 3, dtype=np.int32))
    blocks = np.arange(2 * 34, dtype=np.uint8).reshape(1, 2 * 34)
    writer.add_tensor("blocks", blocks, raw_dtype=GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read():
    reader = GGUFReader(PATH)
    fields = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    tensors = [
        {
            "name": tensor.name,
            "dtype": tensor.tensor_type.name,
            "shape": [int(size) for size in tensor.shape[::-1]],
            "start": int(tensor.data_offset),
            "bytes": tensor.data.tobytes().hex(),
        }
        for tensor in reader.tensors
    ]
    return {"metadata": fields, "tensors": tensors}


write()
(HERE / "python.json").write_text(json.dumps(read(), indent=1, ensure_ascii=False) + "\n")
