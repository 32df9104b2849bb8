"""Front ends: a model that comes as a file, not as Python, as a module that can be traced.

Every format ends in an `Imported` module: the steps of the file, each made by the module that made
it, so that tracing gives the addresses the model had. Which file does what:

- in common: source (what reading gives), archive (zip files that are not trusted), imported (the
  module), recipe and leafing (steps from calls), forms (functions that are modules), ports
  (declared inputs against the file's), parity (the import against its source)
- ATen, which TorchScript and `torch.export` share: aten, aten_special
- formats: torchscript with torchscript_code, pt2 with pt2_values, onnx_file with onnx_graph,
  onnx_values and `onnx_ops/`
"""
