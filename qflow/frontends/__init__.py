"""Front ends: a model that comes as a file, not as Python, as a module that can be traced.

Every format ends in an `Imported` module: the steps of the file, each made by the module that made
it, so that tracing gives the addresses the model had. Which file does what:

- in common: reading (by suffix), source (what it gives), archive (zip files that are not trusted),
  recipe and leafing (calls to steps), forms (functions that are modules), imported (the module),
  refusing (what is said of a bad file)
- against the program: ports (declared inputs and the file's), parity (the import and its file)
- ATen, which TorchScript and `torch.export` share: aten, aten_special, schemas
- formats: torchscript with torchscript_code and torchscript_graph; pt2 with pt2_values and pt2_run;
  onnx with onnx_file, onnx_graph, onnx_names, onnx_values and `onnx_ops/`
"""
