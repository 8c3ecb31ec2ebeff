//! Number formats of model weights: block layouts, exact dequantize and quantize
