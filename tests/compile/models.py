"""Inventories of small models, as a trace would make them, by entry point."""

from qflow.plan.inventory import Edge, Inventory, Module

TYPES = {
    "conv2d": "Conv2d",
    "linear": "Linear",
    "batch_norm": "BatchNorm2d",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "max_pool2d": "MaxPool2d",
    "avg_pool2d": "AvgPool2d",
    "adaptive_avg_pool2d": "AdaptiveAvgPool2d",
    "flatten": "Flatten",
    "identity": "Identity",
    "quant": "QuantStub",
    "dequant": "DeQuantStub",
    "unknown": "Softmax",
}
"""Class of a module by its operator; a generated child has its operator as type."""

DIGITS = """
    image                          input
    quant                          quant                image
    stem.conv                      conv2d               quant
    stem.bn                        batch_norm           stem.conv
    stem.relu                      relu                 stem.bn
    pool                           max_pool2d           stem.relu
    block.first.conv               conv2d               pool
    block.first.bn                 batch_norm           block.first.conv
    block.first.relu               relu                 block.first.bn
    block.conv                     conv2d               block.first.relu
    block.bn                       batch_norm           block.conv
    block._generated_add_0         add                  block.bn pool
    block.relu                     relu                 block._generated_add_0
    average                        adaptive_avg_pool2d  block.relu
    flatten                        flatten              average
    head                           linear               flatten
    dequant                        dequant              head
    output.logits                  output               dequant
"""

PERMUTED = """
    image                          input
    quant                          quant                image
    conv                           conv2d               quant
    _generated_permute_0           permute              conv
    dequant                        dequant              _generated_permute_0
    output.logits                  output               dequant
"""

PLAIN = """
    image                          input
    quant                          quant                image
    conv                           conv2d               quant
    drop                           identity             conv
    dequant                        dequant              drop
    output.logits                  output               dequant
"""

CONCATENATED = """
    image                          input
    quant                          quant                image
    left.conv                      conv2d               quant
    left.relu                      relu                 left.conv
    right.conv                     conv2d               quant
    _generated_cat_0               cat                  left.relu right.conv
    pool                           avg_pool2d           _generated_cat_0
    head                           conv2d               pool
    clip                           relu6                head
    dequant                        dequant              clip
    output.logits                  output               dequant
"""

UNLISTED = """
    image                          input
    quant                          quant                image
    conv                           conv2d               quant
    softmax                        unknown              conv
    bn                             batch_norm           softmax
    dequant                        dequant              bn
    output.logits                  output               dequant
"""

NO_INTEGERS = """
    image                          input
    quant                          quant                image
    conv                           conv2d               quant
    _generated_softmax_0           softmax              conv
    _generated_mul_0               mul                  _generated_softmax_0 conv
    _generated_softmax_1           softmax              _generated_mul_0
    _generated_add_0               add                  _generated_softmax_1
    dequant                        dequant              _generated_add_0
    output.logits                  output               dequant
"""

BARE = """
    image                          input
    conv                           conv2d               image
    output.logits                  output               conv
"""

OUTSIDE = """
    image                          input
    quant                          quant                image
    conv                           conv2d               quant
    dequant                        dequant              conv
    softmax                        unknown              dequant
    output.logits                  output               softmax
"""

HALF_FLOAT = """
    image                          input
    quant                          quant                image
    conv                           conv2d               quant
    _generated_add_0               add                  conv image
    dequant                        dequant              _generated_add_0
    output.logits                  output               dequant
"""

TWO_HEADS = """
    image                          input
    quant                          quant                image
    body.conv                      conv2d               quant
    left                           conv2d               body.conv
    right                          conv2d               body.conv
    _generated_add_0               add                  left right
    dequant_left                   dequant              left
    dequant_sum                    dequant              _generated_add_0
    output.logits                  output               dequant_left
    output.sum                     output               dequant_sum
"""

ADD_POOL = """
    image                          input
    quant                          quant                image
    left                           conv2d               quant
    _generated_relu_0              relu                 left
    right                          conv2d               quant
    _generated_add_0               add                  _generated_relu_0 right
    drop                           identity             _generated_add_0
    pool                           max_pool2d           drop
    head                           linear               pool
    dequant                        dequant              head
    output.logits                  output               dequant
"""

TWO_RELUS = """
    image                          input
    quant                          quant                image
    left                           relu                 quant
    right                          relu6                quant
    _generated_add_0               add                  left right
    dequant                        dequant              _generated_add_0
    output.logits                  output               dequant
"""

IDLE = """
    image                          input
    quant                          quant                image
    conv                           conv2d               quant
    auxiliary                      conv2d               conv
    _generated_relu_0              relu                 auxiliary
    dequant                        dequant              conv
    output.logits                  output               dequant
"""

CAMERA = """
    rgb                            input
    rgb_again                      input
    image                          input
    quant                          quant                rgb
    twice                          quant                rgb_again
    thrice                         quant                rgb_again
    grey                           quant                image
    conv                           conv2d               quant
    second                         conv2d               twice
    third                          conv2d               thrice
    fourth                         conv2d               grey
    _generated_add_0               add                  conv second
    _generated_add_1               add                  third fourth
    _generated_add_2               add                  _generated_add_0 _generated_add_1
    dequant                        dequant              _generated_add_2
    output.logits                  output               dequant
"""

TOKENS = """
    ids                            input
    mask                           input
    tokens                         embedding            ids
    quant                          quant                tokens
    kinds                          embedding            mask
    _generated_add_0               add                  quant kinds
    _generated_eq_0                unknown              mask
    _generated_slice_0             slice                _generated_eq_0
    _generated_masked_fill_0       masked_fill          _generated_add_0 _generated_slice_0
    head                           linear               _generated_masked_fill_0
    _generated_argmax_0            argmax               head
    dequant                        dequant              head
    output.logits                  output               dequant
    output.word                    output               _generated_argmax_0
"""

ANY_SIZE = """
    picture                        input
    quant                          quant                picture
    conv                           conv2d               quant
    up                             upsample             conv
    head                           conv2d               up
    dequant                        dequant              head
    output.map                     output               dequant
"""

MODELS = {
    "any_size": ANY_SIZE,
    "tokens": TOKENS,
    "camera": CAMERA,
    "idle": IDLE,
    "two_relus": TWO_RELUS,
    "add_pool": ADD_POOL,
    "digits": DIGITS,
    "permuted": PERMUTED,
    "plain": PLAIN,
    "concatenated": CONCATENATED,
    "unlisted": UNLISTED,
    "no_integers": NO_INTEGERS,
    "bare": BARE,
    "outside": OUTSIDE,
    "half_float": HALF_FLOAT,
    "two_heads": TWO_HEADS,
}


NUMBER = "one operand is a number: only two tensors can be added"
"""What a trace says of `x + 2`."""


def inventory(table: str, model: str = "nets:net") -> Inventory:
    """Lines of address, operator, addresses it reads."""
    modules, edges = [], []
    for line in filter(str.strip, table.splitlines()):
        address, op, *sources = line.split()
        generated = "_generated_" in address
        channels = 3 if address.startswith("rgb") else 1
        shape = (2, channels, 8, 8) if op == "input" else (2, 4, 4, 4)
        shape = (2, 8) if address in ("ids", "mask") else shape
        shape = (2, 1, 64, 64) if address == "picture" else shape
        gemm = op in ("conv2d", "linear")
        modules.append(
            Module(
                address,
                address.split("_generated_")[1].rpartition("_")[0]
                if generated
                else TYPES.get(op, op),
                op,
                shape,
                detail="4->4 k3" if op == "conv2d" else "",
                weights=144 if gemm else 0,
                macs=2304 if gemm else 0,
                float_only=NUMBER if op == "add" and len(sources) == 1 else "",
            )
        )
        edges += [Edge(source, address, slot) for slot, source in enumerate(sources)]
    return Inventory(model, tuple(modules), tuple(edges))


def of_entry(entry: str) -> Inventory:
    """The model of `nets:<name>`."""
    return inventory(MODELS[entry.partition(":")[2]], entry)
