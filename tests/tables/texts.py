"""One sound text of every format and of every form of a name map."""

TPU_MLIR = """# genetated time: 2026-01-01 10:00:00
# sample number: 100
###
# op_name    threshold    min    max
image 1.0000000 0.0000000 1.0000000
stem.conv_Relu 2.8758372 0.0000000 2.8758372
head_Gemm 1.6e-1 -1.5e-1 1.6e-1
#weight_scale
stem.conv_weight 2 0.0100000 0.0200000
"""
TENSORRT = """TRT-8601-EntropyCalibration2
image: 3c008081
stem.conv: 3cb8c67e
(Unnamed Layer* 82) [Shuffle]_output: 3c56713e
head: 0
"""
V061 = """{"version": "0.6.1",
 "activation_encodings": {
  "stem.conv": [{"bitwidth": 8, "dtype": "int", "is_symmetric": "True",
                 "min": -1.28, "max": 1.27, "offset": -128, "scale": 0.01}],
  "head": [{"bitwidth": 8, "dtype": "int", "is_symmetric": "False",
            "min": 0, "max": 2.55, "offset": 0, "scale": 0.01}],
  "half": [{"bitwidth": 16, "dtype": "float"}]},
 "param_encodings": {"stem.conv.weight": [
  {"bitwidth": 8, "dtype": "int", "is_symmetric": "True",
   "min": -1.28, "max": 1.27, "offset": -128, "scale": 0.01}]}}
"""
V100 = """{"version": "1.0.0",
 "activation_encodings": [
  {"name": "stem.conv", "dtype": "INT", "bw": 8, "enc_type": "PER_TENSOR", "is_sym": true,
   "scale": [0.01], "offset": [-128]},
  {"name": "half", "dtype": "FLOAT", "bw": 16, "enc_type": "PER_TENSOR"},
  {"name": "rows", "dtype": "INT", "bw": 8, "enc_type": "PER_CHANNEL", "is_sym": true,
   "scale": [0.01, 0.02], "offset": [-128, -128]}],
 "param_encodings": [
  {"name": "stem.conv.weight", "dtype": "INT", "bw": 8, "enc_type": "PER_CHANNEL", "is_sym": true,
   "scale": [0.01, 0.02], "offset": [-128, -128]}]}
"""
V200 = """{"version": "2.0.0", "encodings": [
  {"name": "stem.conv", "output_dtype": "int8", "y_scale": 0.01},
  {"name": "head", "output_dtype": "uint8", "y_scale": 0.01, "y_zero_point": 128},
  {"name": "wide", "output_dtype": "int16", "y_scale": 1e-05, "y_zero_point": 0},
  {"name": "relu", "output_dtype": "uint8", "y_scale": 0.01},
  {"name": "half", "output_dtype": "float16"},
  {"name": "stem.conv.weight", "output_dtype": "int8", "y_scale": [0.01, 0.02], "axis": 0}]}
"""
OWN = """{"format_version": "1.0", "model": "net.onnx", "tensors": {
  "stem.conv": {"tensor": "stem.conv", "dtype": "int8", "scale": [0.01], "axis": null},
  "head": {"tensor": "logits", "dtype": "int32", "scale": null, "axis": null},
  "stem.conv.weight": {"tensor": "w", "dtype": "int8", "scale": [0.01, 0.02], "axis": 0}},
 "not_exported": []}
"""
TABLES = {
    "tpu_mlir": TPU_MLIR,
    "tensorrt_cache": TENSORRT,
    "encodings 0.6.1": V061,
    "encodings 1.0.0": V100,
    "encodings 2.0.0": V200,
    "qflow": OWN,
}
COLUMNS = """# address      name
stem.conv      conv1_Relu
block.*.conv   block_*_Conv
head           (Unnamed Layer* 82) [Shuffle]_output
"""
PLAIN_JSON = '{"stem.conv": "conv1_Relu", "head": ["fc", "logits"]}'
MAPS = {"columns": COLUMNS, "json": PLAIN_JSON, "export": OWN}
