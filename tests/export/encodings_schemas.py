"""JSON schemas of the encodings formats, written from their documentation."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def closed(properties: Schema, *optional: str) -> Schema:
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


NUMBER: Schema = {"type": "number"}
NAME: Schema = {"type": "string", "minLength": 1}
ARGUMENTS = closed(
    {
        "activation_bitwidth": {"type": "integer"},
        "param_bitwidth": {"type": "integer"},
        "per_channel_quantization": {"type": "boolean"},
        "is_symmetric": {"type": "boolean"},
        "dtype": {"enum": ["int", "float"]},
        "quant_scheme": {"type": "string"},
    }
)
EXCLUDED: Schema = {"type": "array", "items": NAME}

ENTRY_061 = closed(
    {
        "bitwidth": {"type": "integer", "minimum": 4, "maximum": 32},
        "dtype": {"enum": ["int", "float"]},
        "is_symmetric": {"enum": ["True", "False"]},
        "min": NUMBER,
        "max": NUMBER,
        "offset": {"type": "integer", "maximum": 0},
        "scale": {"type": "number", "exclusiveMinimum": 0},
    }
)
BY_NAME: Schema = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": ENTRY_061, "minItems": 1},
}
V061 = closed(
    {
        "version": {"const": "0.6.1"},
        "activation_encodings": BY_NAME,
        "param_encodings": BY_NAME,
        "excluded_layers": EXCLUDED,
        "quantizer_args": ARGUMENTS,
    }
)

ENTRY_100 = closed(
    {
        "name": NAME,
        "dtype": {"enum": ["INT", "FLOAT"]},
        "bw": {"type": "integer", "minimum": 4, "maximum": 32},
        "enc_type": {"enum": ["PER_TENSOR", "PER_CHANNEL", "PER_BLOCK", "LPBQ", "VECTOR"]},
        "is_sym": {"type": "boolean"},
        "scale": {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}},
        "offset": {"type": "array", "items": {"type": "integer"}},
    }
)
V100 = closed(
    {
        "version": {"const": "1.0.0"},
        "activation_encodings": {"type": "array", "items": ENTRY_100},
        "param_encodings": {"type": "array", "items": ENTRY_100},
        "excluded_layers": EXCLUDED,
        "quantizer_args": ARGUMENTS,
    }
)

SCALES: Schema = {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}}
ENTRY_200: Schema = {
    "oneOf": [
        closed({"name": NAME, "output_dtype": NAME, "y_scale": NUMBER, "y_zero_point": NUMBER},
               "y_zero_point"),
        closed({"name": NAME, "output_dtype": NAME, "y_scale": SCALES, "axis": {"type": "integer"},
                "y_zero_point": SCALES}, "y_zero_point"),
    ]
}  # fmt: skip
V200 = closed({"version": {"const": "2.0.0"}, "encodings": {"type": "array", "items": ENTRY_200}})

BY_VERSION = {"0.6.1": V061, "1.0.0": V100, "2.0.0": V200}
