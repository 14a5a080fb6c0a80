"""Models taken out: as weights, as ONNX, as a program of `torch.export`, each with its card."""
