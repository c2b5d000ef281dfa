"""In which precision training's passes multiply: float32, TF32 or bfloat16."""

from contextlib import contextmanager


def bfloat16_is_native(device: str) -> bool:
    """Return whether `device` ('cpu' or 'cuda') multiplies bfloat16 in hardware; elsewhere it is emulated, slowly."""
    import torch

    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.backends.mkldnn.is_available() and torch.cpu._is_avx512_bf16_supported()


def available(device: str) -> list[str]:
    """Return the precisions that `device` ('cpu' or 'cuda') has in hardware, float32 first."""
    native = ["bfloat16"] if bfloat16_is_native(device) else []
    return ["float32", *(["tf32"] if device == "cuda" else []), *native]


def resolve(precision: str, device: str, wanted: str | None = None) -> str:
    """Return the precision that `device` computes in.

    Parameters
    ----------
    precision : {'auto', 'float32', 'tf32', 'bfloat16'}
        What was asked for.
    device : {'cpu', 'cuda'}
    wanted : str, optional
        What `auto` means where the device has it in hardware.

    Returns
    -------
    str
        ``float32``, ``tf32`` or ``bfloat16``.

    Raises
    ------
    ValueError
        For TF32 on a CPU, or bfloat16 that the device does not have in hardware.
    """
    if precision == "auto":
        if wanted == "bfloat16" and bfloat16_is_native(device):
            return wanted
        return "tf32" if device == "cuda" else "float32"
    if precision == "tf32" and device == "cpu":
        raise ValueError("precision is 'tf32', which a CPU does not have; choose float32 or bfloat16")
    if precision == "bfloat16" and not bfloat16_is_native(device):
        raise ValueError(f"precision is 'bfloat16', which this {device} would emulate slowly; choose float32")
    return precision


@contextmanager
def computing_in(precision: str, device: str):
    """Let every product inside the block be computed in `precision` on `device`; results that matter stay float32.

    On CUDA only algorithms are used that give the same bits each time.

    Parameters
    ----------
    precision : str
        ``float32``, ``tf32`` or ``bfloat16``.
    device : str
        ``cpu`` or ``cuda``.

    Yields
    ------
    None
    """
    import torch

    cudnn = torch.backends.cudnn
    if device == "cuda":
        before = torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.deterministic
        torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
        cudnn.allow_tf32, cudnn.deterministic = precision == "tf32", True
    try:
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"):
            yield
    finally:
        if device == "cuda":
            torch.set_float32_matmul_precision(before[0])
            cudnn.allow_tf32, cudnn.deterministic = before[1:]
