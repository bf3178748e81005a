import ctypes
import os

PTRACE_ATTACH = 16
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(PTRACE_ATTACH, 1, 0, 0) == 0:
    print("escaped")
else:
    print("blocked:", os.strerror(ctypes.get_errno()))
    raise SystemExit(1)
