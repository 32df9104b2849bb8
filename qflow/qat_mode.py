"""qat_mode: whether prepared models keep their batch norms; set it before `prepare`."""

from qflow.quantization.fusing_modes import QATMode, get_qat_mode, set_qat_mode

__all__ = ["QATMode", "get_qat_mode", "set_qat_mode"]
